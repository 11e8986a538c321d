/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base: bytes, errors, cursors, buffers and time; what every other room uses.
 *
 *  (1) Nothing here keeps global state, reads a clock or writes a log.
 *  (2) Untrusted bytes are read through a licet_cursor only; every step is
 *      checked against the end of the input.
 *  (3) A licet_buffer is born with its ceiling; reaching it is an error with
 *      a name (LICET_E_LIMIT), never a slow death.
 */
#ifndef LICET_BASE_H
#define LICET_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Layers. Each folder of lib/ is compiled with LICET_LAYER set to its own
 * number; a header of a lower room (a greater number) refuses to be included
 * from a higher one, so that a breach does not compile. Programs outside
 * lib/ do not set LICET_LAYER and see everything.
 */
#define LICET_LAYER_BASE 1
#define LICET_LAYER_AGREEMENT 2
#define LICET_LAYER_DECIDE 3
#define LICET_LAYER_METER 4
#define LICET_LAYER_QUOTA 5
#define LICET_LAYER_RECEIPT 6
#define LICET_LAYER_LEDGER 7
#define LICET_LAYER_USAGE 8
#define LICET_LAYER_IMPORT 9
#define LICET_LAYER_REPORT 10
#define LICET_LAYER_IDENTITY 11

/* Borrowed bytes: valid as long as what they point into. data may be NULL when len is 0. */
typedef struct licet_bytes {
    const uint8_t *data;
    size_t len;
} licet_bytes;

#define LICET_BYTES_LITERAL(s) ((licet_bytes){(const uint8_t *)(s), sizeof(s) - 1})

licet_bytes licet_bytes_of(const void *data, size_t len);
/* Bytes of a NUL-terminated string without its NUL; NULL gives none. */
licet_bytes licet_bytes_of_text(const char *text);
bool licet_bytes_equal(licet_bytes a, licet_bytes b);
bool licet_bytes_equal_text(licet_bytes a, const char *text);
/* Equality in time that depends on the length alone; for secrets. */
bool licet_bytes_equal_secret(licet_bytes a, licet_bytes b);

/* ---- errors ---------------------------------------------------------- */

typedef enum licet_errc {
    LICET_E_NONE = 0,
    LICET_E_INVALID,     /* the input breaks its grammar or its schema */
    LICET_E_CORRUPT,     /* stored bytes are not what was written */
    LICET_E_LIMIT,       /* a ceiling was reached; the text names it */
    LICET_E_MEMORY,      /* an allocation failed */
    LICET_E_SYSTEM,      /* a system call failed; the text has path and reason */
    LICET_E_NOT_FOUND,   /* what was named is not there */
    LICET_E_CONFLICT,    /* it exists already, or somebody else holds it */
    LICET_E_STATE,       /* not possible in the present state */
    LICET_E_UNSUPPORTED, /* known, but not by this version */
} licet_errc;

typedef struct licet_error {
    licet_errc code;  /* the only field a program branches on */
    const char *file; /* raised here, in our source */
    int line;
    uint64_t offset; /* byte of the input that is at fault, where there is one */
    char text[512];  /* one sentence for a person */
} licet_error;

/* Fills *err (which may be NULL) and returns false, so that callers write 'return LICET_FAIL(…)'. That it is false is
 * said here and not in error.c, so that compilers and analyzers know it at each call. */
#define LICET_FAIL(err, code, offset, ...)                                                                             \
    licet_error_false(licet_error_set((err), (code), __FILE__, __LINE__, (uint64_t)(offset), __VA_ARGS__))

static inline bool
licet_error_false(bool ignored)
{
    (void)ignored;
    return false;
}

bool licet_error_set(licet_error *err, licet_errc code, const char *file, int line, uint64_t offset, const char *format,
                     ...) __attribute__((format(printf, 6, 7)));

/* ---- cursor: bounds-checked reading ----------------------------------- */

typedef struct licet_cursor {
    licet_bytes in;
    size_t pos;
} licet_cursor;

/* Each take_ reads big-endian, advances and returns true, or leaves the cursor as it was and returns false. */
bool licet_take_u8(licet_cursor *c, uint8_t *out_value);
bool licet_take_u16(licet_cursor *c, uint16_t *out_value);
bool licet_take_u32(licet_cursor *c, uint32_t *out_value);
bool licet_take_u64(licet_cursor *c, uint64_t *out_value);
/* An unsigned number of n bytes, 1..8. */
bool licet_take_uint(licet_cursor *c, unsigned n, uint64_t *out_value);
/* LEB128, at most 10 bytes, the shortest form only (a trailing zero byte is refused). */
bool licet_take_varint(licet_cursor *c, uint64_t *out_value);
/* A view of the next len bytes. */
bool licet_take_bytes(licet_cursor *c, size_t len, licet_bytes *out_value);
/* A view of the next count pieces, each a u8 length and that many bytes. */
bool licet_take_pieces(licet_cursor *c, uint32_t count, licet_bytes *out_value);
/* u16 length, then that many bytes. */
bool licet_take_text(licet_cursor *c, licet_bytes *out_value);
bool licet_cursor_at_end(const licet_cursor *c);

/* ---- buffer: growing output with a ceiling ---------------------------- */

typedef struct licet_buffer {
    uint8_t *data; /* owned; free with licet_buffer_done */
    size_t len;
    size_t capacity;
    size_t ceiling; /* most bytes it may ever hold */
    bool failed;    /* set once by memory or ceiling; later puts do nothing */
} licet_buffer;

void licet_buffer_init(licet_buffer *b, size_t ceiling);
void licet_buffer_done(licet_buffer *b);
/* Each put_ appends big-endian; false, and b->failed, when memory or the ceiling is reached. put_uint also refuses a
 * value that n bytes cannot hold. */
bool licet_put_u8(licet_buffer *b, uint8_t value);
bool licet_put_u16(licet_buffer *b, uint16_t value);
bool licet_put_u32(licet_buffer *b, uint32_t value);
bool licet_put_u64(licet_buffer *b, uint64_t value);
bool licet_put_uint(licet_buffer *b, unsigned n, uint64_t value);
bool licet_put_varint(licet_buffer *b, uint64_t value);
bool licet_put_bytes(licet_buffer *b, licet_bytes bytes);
/* u16 length then the bytes; refuses more than 65,535. */
bool licet_put_text(licet_buffer *b, licet_bytes text);
bool licet_put_format(licet_buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The content as a borrowed view, valid until the next put or done. */
licet_bytes licet_buffer_view(const licet_buffer *b);

/* ---- text forms -------------------------------------------------------- */

/* Writes 2*len lower-case digits and a NUL to out, which has room for 2*len+1. */
void licet_hex(const uint8_t *data, size_t len, char *out);
/* Exactly 2*len hex digits, either case; false otherwise. */
bool licet_unhex(licet_bytes text, uint8_t *out, size_t len);
/* RFC 4648 standard alphabet with padding, canonical; out has room for 4*((len+2)/3)+1. Returns its length. */
size_t licet_base64(const uint8_t *data, size_t len, char *out);
/* Canonical base64 only (padding bits zero, no white space). *out_len is at most cap. */
bool licet_unbase64(licet_bytes text, uint8_t *out, size_t cap, size_t *out_len);
/* The same by RFC 4648 section 5: '-' and '_', without padding. */
size_t licet_base64url(const uint8_t *data, size_t len, char *out);
bool licet_unbase64url(licet_bytes text, uint8_t *out, size_t cap, size_t *out_len);
/* Decimal digits without sign, space or leading zero; refuses overflow of 64 bits. */
bool licet_parse_u64(licet_bytes text, uint64_t *out_value);

/* ---- digests ------------------------------------------------------------ */

#define LICET_SHA256_LEN 32
typedef struct licet_hash {
    uint8_t bytes[LICET_SHA256_LEN];
} licet_hash;

/* SHA-256 (FIPS 180-4) of the concatenation of n pieces. */
licet_hash licet_sha256(const licet_bytes *pieces, size_t n);
/* HMAC-SHA-256 (RFC 2104) of message under key. */
licet_hash licet_hmac_sha256(licet_bytes key, licet_bytes message);
/* len bytes from the system's random source. */
bool licet_random(uint8_t *out, size_t len, licet_error *err);

/* ---- time: milliseconds since 1970-01-01T00:00:00Z, UTC, no leap seconds - */

/* 2022-10-10 or RFC 3339 with Z or offset: 2022-10-10T12:00:00.250Z. */
bool licet_time_parse(licet_bytes text, uint64_t *out_ms);
#define LICET_TIME_TEXT 25
/* Writes 2022-10-10T12:00:00.250Z and a NUL. */
void licet_time_format(uint64_t ms, char out[LICET_TIME_TEXT]);
/* Months since 1970-01 of a time, and the first millisecond of such a month (UTC, calendar). */
uint32_t licet_month_of(uint64_t ms);
uint64_t licet_month_start(uint32_t month);

/* ---- files ---------------------------------------------------------------- */

/* A missing file or folder is LICET_E_NOT_FOUND, any other refusal of the system LICET_E_SYSTEM. */

/* Reads a whole regular file of at most ceiling bytes; *out_data is malloc'ed with a NUL behind it. */
bool licet_file_read(const char *path, size_t ceiling, uint8_t **out_data, size_t *out_len, licet_error *err);
/* Writes path whole: temporary name beside it, fsync, rename, fsync of the folder. mode as for open(2). */
bool licet_file_replace(const char *path, licet_bytes content, unsigned mode, licet_error *err);
/* Writes all of it at offset, retrying short writes and EINTR. */
bool licet_file_write_at(int fd, const char *path, licet_bytes content, uint64_t offset, licet_error *err);
/* Reads exactly len bytes at offset; an early end is LICET_E_CORRUPT. */
bool licet_file_read_at(int fd, const char *path, uint8_t *out, size_t len, uint64_t offset, licet_error *err);
/* mkdir -p. */
bool licet_dir_make(const char *path, unsigned mode, licet_error *err);

#ifdef __cplusplus
}
#endif

#endif
