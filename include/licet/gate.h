/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gate: the shared memory between the nginx workers and licetd. Counters and
 * leases, per worker a table of slots, a ring of finished receipts and a ring
 * of delivered ids. docs/format/gate.md has the layout to the byte.
 *
 *  (1) units delivered <= units granted <= the limit, over all workers, under any crash.
 *  (2) A slot is OPEN before anything is taken for it, and holds all the receipt needs.
 *  (3) The count in a slot is stored before the bytes that carry those units are handed on.
 *  (4) A reservation is marked held after it was taken and unmarked before it is given back: a crash leaks (waste),
 *      it never gives back twice. A recount (below) repairs waste when nothing is under way.
 *  (5) A ring entry is published by one release store of the head, after it was written. Room in the rings is reserved
 *      with the slot, so that settling cannot fail.
 *  (6) The file is allocated in full before anybody maps it, stamped with layout and boot id, never replaced in place.
 *  (7) licetd reads slots and rings as hostile input: every index is checked, every text bounded.
 */
#ifndef LICET_GATE_H
#define LICET_GATE_H

#include "licet/base.h"
#include "licet/decide.h"
#include "licet/image.h"
#include "licet/meter.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_QUOTA
#error "layer breach: gate.h belongs to quota/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* number, name, text: how a response ended. Six bits in a receipt. */
#define LICET_ENDINGS(X)                                                                                               \
    X(0, COMPLETE, "complete")                                                                                         \
    X(1, NO_BODY, "no body due")                                                                                       \
    X(2, REFUSED, "refused")                                                                                           \
    X(3, CLIENT_CLOSED_HEAD, "client closed before head")                                                              \
    X(4, CLIENT_CLOSED_BODY, "client closed in body")                                                                  \
    X(5, SEND_TIMED_OUT, "send timed out")                                                                             \
    X(6, UPSTREAM_REFUSED, "upstream refused")                                                                         \
    X(7, UPSTREAM_ABORTED, "upstream aborted")                                                                         \
    X(8, UPSTREAM_TIMED_OUT, "upstream timed out")                                                                     \
    X(9, CUT_BY_LIMIT, "cut by limit")                                                                                 \
    X(10, CUT_BY_REVOCATION, "cut by revocation")                                                                      \
    X(11, SETTLED_IN_PART, "settled in part")                                                                          \
    X(12, WORKER_DIED, "worker died")                                                                                  \
    X(13, GATE_STOPPED, "gate stopped")

typedef enum licet_ending {
#define LICET_ENDING_ENUM(number, name, text) LICET_ENDING_##name = number,
    LICET_ENDINGS(LICET_ENDING_ENUM)
#undef LICET_ENDING_ENUM
        LICET_ENDINGS_LEN
} licet_ending;

const char *licet_ending_text(licet_ending ending);

/* The identity of a receipt, fixed at admission: unique in the site. */
typedef struct licet_identity {
    uint16_t gate;
    uint32_t epoch;
    uint64_t sequence; /* < 2^48 */
} licet_identity;

/* The public decision id: 32 hex digits, AES-128 of gate u16 || epoch u32 || sequence u48 || four zero bytes. */
#define LICET_DECISION_TEXT 33
/* Empty text when libcrypto fails. Sets up a cipher each time: workers use licet_worker_decision_id. */
void licet_decision_id(const uint8_t key[16], licet_identity identity, char out[LICET_DECISION_TEXT]);
/* Back to the identity; false when the text is no id of this key. */
bool licet_decision_identity(const uint8_t key[16], licet_bytes text, licet_identity *out_identity);

/* What one response was; fixed size, the entry of the receipt ring. Native byte order. */
typedef struct licet_wide {
    licet_identity identity;
    uint64_t time_ms;                                              /* of admission */
    uint64_t image;                                                /* number of the image that decided */
    uint32_t cell;                                                 /* of the agreement */
    uint32_t version, app, credential, use_case, endpoint, clause; /* rows of that image or LICET_NONE */
    uint32_t registered;                                           /* row of the recipient, or LICET_NONE */
    uint32_t duration_ms;
    uint16_t status;
    uint8_t ending;    /* licet_ending */
    uint8_t verdict;   /* licet_verdict_kind */
    uint8_t reason;    /* licet_reason */
    uint8_t unmetered; /* licet_unmetered */
    uint8_t flow;
    uint8_t purpose_len, recipient_len;
    uint8_t purpose[LICET_NAME_MAX], recipient[LICET_NAME_MAX];
    uint8_t has_peer, peer[16];         /* 1: the decision id that the platform's own gate gave the same response */
    uint64_t bytes;                     /* of body handed to the kernel */
    uint64_t bytes_acked;               /* acknowledged by the client, on an abort; UINT64_MAX: not known */
    uint64_t units[LICET_KINDS_MAX];    /* delivered */
    uint64_t reserved[LICET_KINDS_MAX]; /* at the end, for what stays charged when unmetered */
    uint64_t ids[LICET_KINDS_MAX];      /* ids seen, where the catalogue names ids */
} licet_wide;

typedef struct licet_gate licet_gate;     /* a mapped shared-memory file; opaque */
typedef struct licet_worker licet_worker; /* this process's worker area in it; opaque, heap of the process */
typedef struct licet_slot licet_slot;     /* one response under way, in shared memory; opaque */

#define LICET_GATE_CELLS_MAX 65536
#define LICET_GATE_PATH_MAX 512

typedef struct licet_gate_options {
    uint16_t gate;
    uint32_t epoch;
    uint32_t workers, slots;  /* areas; slots per area (power of two) */
    uint32_t ring, ring_ids;  /* entries of a receipt ring; bytes of an id ring (powers of two); 0: default */
    uint32_t cells, counters; /* rows for agreements and for limit counters; grown only by a new file */
    uint8_t decision_key[16], credential_key[32];
    uint8_t boot_id[16];
    const char *images; /* absolute path of the folder with index-<generation> and image-<number> */
    unsigned mode;      /* of the file */
    int gid;            /* group to give it to, or -1 */
} licet_gate_options;

/* ---- both sides ---------------------------------------------------------- */

/* Maps an existing file; its stamp, size and geometry are checked. NOT_FOUND, UNSUPPORTED (another layout), CORRUPT,
 * SYSTEM. */
bool licet_gate_open(const char *path, licet_gate **out_gate, licet_error *err);
/* True when the file there is a gate of another layout: made by another version, whose workers may still use it. Magic,
 * layout and boot id lie where they lie in every layout. */
bool licet_gate_foreign(const char *path, uint32_t *out_layout, uint8_t out_boot_id[16]);
void licet_gate_close(licet_gate *gate);
/* True when the file at the path is no longer the one mapped (a new stamp): map the new one for new requests. */
bool licet_gate_replaced(const licet_gate *gate);
const uint8_t *licet_gate_decision_key(const licet_gate *gate);   /* 16 bytes, lives with the mapping */
const uint8_t *licet_gate_credential_key(const licet_gate *gate); /* 32 bytes */
const char *licet_gate_images(const licet_gate *gate);
uint64_t licet_gate_generation(const licet_gate *gate); /* acquire load: number of the index in force; 0: none yet */
/* True once another file is in force: nothing is admitted here any more, what is under way goes on. */
bool licet_gate_is_shut(const licet_gate *gate);
uint32_t licet_gate_epoch(const licet_gate *gate);
/* Last sign of life of licetd, ms since 1970 (written at least each second). */
uint64_t licet_gate_alive_ms(const licet_gate *gate);
/* What the file was made with: numbers, keys, boot id, images (lives with the mapping). mode and gid are not kept. */
void licet_gate_options_of(const licet_gate *gate, licet_gate_options *out_options);

/* ---- the worker's side ----------------------------------------------------- */

/* Takes a free area by its open file description lock, through a description of its own: call it in the process that
 * will serve (init_process), never before a fork. LIMIT when every area is taken (try again: the dead are adopted);
 * CONFLICT when the file was replaced meanwhile (open the new one). The gate must outlive the worker. */
bool licet_worker_join(licet_gate *gate, licet_worker **out_worker, licet_error *err);
/* licet_decision_id under the gate's key, with a cipher kept by the worker. Empty text when libcrypto fails. */
void licet_worker_decision_id(licet_worker *worker, licet_identity identity, char out[LICET_DECISION_TEXT]);
/* Area of the worker, 0 .. licet_gate_areas-1. */
uint32_t licet_worker_area(const licet_worker *worker);
/* Settles what is open as 'gate stopped', gives the lock back. */
void licet_worker_leave(licet_worker *worker, uint64_t now_ms);
/* Tells licetd which generation this worker still uses (the oldest). */
void licet_worker_uses(licet_worker *worker, uint64_t generation);

typedef enum licet_admission {
    LICET_ADMITTED,      /* *out_slot is OPEN */
    LICET_NO_UNITS,      /* a limit: *out_shortage says which */
    LICET_LEASE_EMPTY,   /* or the file is shut: wait and try again, 100 ms at most, then it cannot be recorded */
    LICET_CANNOT_RECORD, /* no slot or no room in a ring */
} licet_admission;

typedef struct licet_shortage {
    uint32_t limit;     /* index into verdict->limits */
    uint64_t remaining; /* left in the window now; of weighed units, as the next */
    uint64_t held;      /* of those used, held by responses under way: what may come back */
    uint64_t reset_ms;  /* when there is room again, absolute: the end of the window, of a ROLLING one the time that
                           enough has rolled off; UINT64_MAX: not by waiting */
} licet_shortage;

/* What a refusal by that limit is called. */
licet_reason licet_shortage_reason(const licet_image *image, const licet_verdict *verdict,
                                   const licet_shortage *shortage);
/* Units of the limit's kind that all limits have room for. remaining: of each of the verdict's limits what is left, or
 * NULL: of the one that is short alone. */
uint64_t licet_shortage_fits(const licet_verdict *verdict, const licet_shortage *shortage, const uint64_t *remaining);

/*
 * Opens a slot and takes the amounts of verdict->limits from all of them (all or none) and verdict->reserve from the
 * agreement's leases, and room in the rings. A refusing verdict takes nothing but a slot and room. In OBSERVE mode, and
 * of a limit whose clause is only observed, units are taken beyond the limit and *out_would_refuse is set (may be NULL
 * otherwise); *out_shortage then is that of the first such limit. ids_room: bytes of id ring to reserve.
 */
licet_admission licet_worker_admit(licet_worker *worker, const licet_image *image, const licet_facts *facts,
                                   const licet_verdict *verdict, uint32_t ids_room, uint64_t now_ms,
                                   licet_slot **out_slot, licet_shortage *out_shortage, bool *out_would_refuse);

/* Identity given at admission. */
licet_identity licet_slot_identity(const licet_slot *slot);
/* Units of a limit left after this admission, for RateLimit headers. i indexes verdict->limits. */
uint64_t licet_slot_remaining(licet_worker *worker, const licet_slot *slot, const licet_image *image,
                              const licet_verdict *verdict, uint32_t i);

/* Raises the reservation of a kind to at least 'to' units; false, and nothing taken, when a limit or lease has not so
 * many. */
bool licet_slot_top_up(licet_worker *worker, licet_slot *slot, uint32_t kind, uint64_t to);
/* The same beyond the limits too (on_overrun: deliver; observe), never beyond the lease: what is handed on is durable
 * as granted before. False: wait for licetd and try again, 1 s at most, then it cannot be recorded. */
bool licet_slot_overrun(licet_worker *worker, licet_slot *slot, uint32_t kind, uint64_t to);
/* True when it is the lease that has not so many. */
bool licet_slot_lease_short(const licet_worker *worker, const licet_slot *slot, uint32_t kind, uint64_t to);
/* Then: adds what is missing to what goes up without a slot, as cannot_record allows. False: it must not be handed on.
 */
bool licet_slot_unrecorded(licet_worker *worker, licet_slot *slot, const licet_image *image, uint32_t kind,
                           uint64_t to);
/* Units of a kind reserved now. */
uint64_t licet_slot_reserved(const licet_slot *slot, uint32_t kind);
/* Stores the count so far of a kind; call before the bytes are handed on. */
void licet_slot_count(licet_slot *slot, uint32_t kind, uint64_t units);
/* Stores the decision id that the upstream's own gate gave the response; NULL: none (of a new attempt). */
void licet_slot_peer(licet_slot *slot, const uint8_t peer[16]);
/* Stores status and body bytes handed on so far, for a receipt made after a death. */
void licet_slot_progress(licet_slot *slot, uint16_t status, uint64_t bytes);

/* Appends ids of one kind to the id ring, tagged with the slot's identity. ids: count times (u8 length, bytes).
 * False when there is no room beyond what was reserved: the ids are lost and the response must be flagged IDS_LOST. */
bool licet_slot_ids(licet_worker *worker, licet_slot *slot, uint32_t kind, uint32_t count, licet_bytes ids);

typedef struct licet_settlement {
    uint16_t status;
    licet_ending ending;
    licet_unmetered unmetered;
    uint64_t bytes, bytes_acked;     /* bytes_acked UINT64_MAX: not known */
    uint64_t units[LICET_KINDS_MAX]; /* delivered, by kind; [REQUEST] 1 or 0 */
    uint64_t ids[LICET_KINDS_MAX];
    uint32_t duration_ms;
    licet_reason reason;        /* for refusals; NONE otherwise */
    licet_verdict_kind verdict; /* final */
} licet_settlement;

/*
 * SETTLING, publish, give back what was reserved and not used, FREE. The slot is gone afterwards. An unmetered response
 * stays charged the larger of its reservation and its units. A refused one gives everything back.
 */
void licet_slot_settle(licet_worker *worker, licet_slot *slot, const licet_settlement *settlement);

/* Refusal of a caller nobody knows: adds to the count of the reason; no slot, no entry. */
void licet_worker_unidentified(licet_worker *worker, licet_reason reason);
/* Admission without a slot (cannot_record open or allow): adds to the agreement's gap counters before it goes up.
 * False when the N units of this outage (allow), or what licetd made durable ahead, are used up. */
bool licet_worker_unrecorded(licet_worker *worker, const licet_image *image, const licet_verdict *verdict,
                             uint64_t most_units);

/* Refusal of a known caller that could not be recorded: adds to its agreement's count of the reason. */
void licet_worker_refused(licet_worker *worker, const licet_image *image, licet_reason reason);

/* ---- licetd's side ------------------------------------------------------------- */

/* Allocates, stamps and maps a new file (written beside path, then renamed over it). */
bool licet_gate_create(const char *path, const licet_gate_options *options, licet_gate **out_gate, licet_error *err);
/* This process is licetd for that file: from here on it keeps its own copy of the words it alone writes (stamp,
 * generation, tails) and believes no other. */
bool licet_gate_serve(licet_gate *gate, licet_error *err);
/* Puts right what somebody else has written over these words, and tells how many. */
typedef struct licet_gate_mended {
    uint32_t stamps, tails;
} licet_gate_mended;
licet_gate_mended licet_gate_mend(licet_gate *gate);
/* How far an area's rings are drained, by the journal: whatever the file says. */
void licet_gate_drained(licet_gate *gate, uint32_t area, uint64_t ring, uint64_t ids);
/* Adopts the area as soon as its lock is free, whatever its words say. */
void licet_gate_suspect(licet_gate *gate, uint32_t area);
/* True while licetd holds the area's lock: its worker is gone. */
bool licet_gate_kept(const licet_gate *gate, uint32_t area);
/* Process id that the worker of an area wrote; 0: none. */
uint64_t licet_gate_owner(const licet_gate *gate, uint32_t area);
/* False when a head of the area is out of reach: nothing can be read until it is put right. */
bool licet_gate_plausible(const licet_gate *gate, uint32_t area);
void licet_gate_alive(licet_gate *gate, uint64_t now_ms);
/* Release store of the generation of the index that workers shall use. */
void licet_gate_publish(licet_gate *gate, uint64_t generation);
/* The oldest generation any living worker still uses; UINT64_MAX when none. */
uint64_t licet_gate_oldest_use(const licet_gate *gate);
/* For ever, right before another file is published: its counters then have what was taken here. */
void licet_gate_shut(licet_gate *gate);
uint32_t licet_gate_areas(const licet_gate *gate);

/* The ring of one area. peek copies the entry at position (>= tail, < head) and checks the copy, for a worker may write
 * over the entry meanwhile: where it fails *out_wide says nothing. head is an acquire load. release moves the tail:
 * only after the entries are durable. */
uint64_t licet_gate_head(const licet_gate *gate, uint32_t area);
uint64_t licet_gate_tail(const licet_gate *gate, uint32_t area);
bool licet_gate_peek(const licet_gate *gate, uint32_t area, uint64_t position, licet_wide *out_wide, licet_error *err);
void licet_gate_release(licet_gate *gate, uint32_t area, uint64_t tail);

/* The id ring of one area: a chunk at position; *out_next is where the next begins. ids points into buffer. */
typedef struct licet_ids_chunk {
    licet_identity identity;
    uint32_t cell, kind, count;
    licet_bytes ids; /* count times (u8 length, bytes), checked */
} licet_ids_chunk;
uint64_t licet_gate_ids_head(const licet_gate *gate, uint32_t area);
uint64_t licet_gate_ids_tail(const licet_gate *gate, uint32_t area);
bool licet_gate_ids_peek(const licet_gate *gate, uint32_t area, uint64_t position, licet_buffer *buffer,
                         licet_ids_chunk *out_chunk, uint64_t *out_next, licet_error *err);
void licet_gate_ids_release(licet_gate *gate, uint32_t area, uint64_t tail);

/*
 * Adopts areas whose worker is gone (its lock can be taken). For each OPEN slot ('worker died', with the counts
 * stored), and for a SETTLING slot whose ring position the head never passed (as the worker left it), the receipt is
 * put INTO THE RING of that area, so that it becomes durable exactly once, as every receipt does: by its ring position
 * in the journal's commit record. 'adopted' (may be NULL) is told of each for logs and counts; it must not record them;
 * false from it, or a full ring, ends the call after that receipt: call again. Marked reservations are given back,
 * slots freed. The area stays locked by this process until its rings are drained, then it is free for a new worker. Any
 * licetd that dies in the middle is followed by another that goes on. Returns the number of areas that became free.
 */
typedef bool (*licet_on_adopted)(void *user, uint32_t area, const licet_wide *wide);
uint32_t licet_gate_adopt(licet_gate *gate, uint64_t now_ms, licet_on_adopted adopted, void *user);
/* Number of areas that a worker has, or had and licetd has not adopted and drained. 0 in a replaced file: with its
 * rings drained it can be closed. */
uint32_t licet_gate_owned(const licet_gate *gate);
/* What adoption met, since the file was made: slots that may have leaked units (a recount repairs them; a counter's
 * leak ends with its window), and slots or rings that made no sense. */
typedef struct licet_gate_faults {
    uint64_t leaks, damaged;
} licet_gate_faults;
licet_gate_faults licet_gate_faults_of(const licet_gate *gate);
/* The same as this process saw it, which nobody else can write. Only behind licet_gate_serve. */
licet_gate_faults licet_gate_faults_seen(const licet_gate *gate);
/* True when any slot of any area is not FREE. */
bool licet_gate_busy(const licet_gate *gate);
/* Number of slots that are not FREE, over all areas. */
uint32_t licet_gate_under_way(const licet_gate *gate);

/* Slots opened since the file was made, over all areas: rises after a slot is OPEN and before it takes anything. */
uint64_t licet_gate_opened(const licet_gate *gate);

/*
 * Counters. value is used or held units of the window; set by compare-and-swap from what load returned.
 *
 * Recount: sets a counter or a lease to what the ledger says, and takes back what a death leaked. It is safe only from
 * a value that was read while nothing was under way, or the swap could meet an equal value of another meaning (a hold
 * given back and a new one of the same size):
 *   1  a = licet_gate_opened(gate); if licet_gate_under_way(gate) != 0 or licet_gate_owned areas wait for adoption:
 * later 2  v = licet_gate_counter(gate, c)            or licet_gate_lease(…).taken 3  if licet_gate_under_way(gate) !=
 * 0 or licet_gate_opened(gate) != a: later 4  drain every ring up to its head and fold it; u = units recorded for c in
 * window v.window   (lease: recorded) 5  licet_gate_counter_swap(gate, c, v, {v.window, u, 0})            or
 * licet_gate_lease_swap(…, v, u) A request admitted after 3 raises taken, and held while it is under way, so that the
 * swap fails; one that came and went without units leaves v, rightly. When it fails: later. Leaks in a window end with
 * the window.
 */
typedef struct licet_counter_value {
    uint32_t window;
    uint64_t taken; /* used and held, < 2^56 */
    uint64_t held;  /* part of taken, < 2^39; told, never counted with */
    bool closed;    /* bucket of a rolling window: nothing more is taken from it */
} licet_counter_value;
uint32_t licet_gate_counters(const licet_gate *gate);
licet_counter_value licet_gate_counter(const licet_gate *gate, uint32_t counter);
/* What is used of a limit by one of its counters in a window (licet_window_of): of a ROLLING limit the sum of the
 * buckets that end with it. A later window that has begun already, for the clock was set back, is the one that binds.
 */
licet_counter_value licet_gate_used(const licet_gate *gate, const licet_image_limit *limit, uint32_t counter,
                                    uint32_t window);
bool licet_gate_counter_swap(licet_gate *gate, uint32_t counter, licet_counter_value from, licet_counter_value to);
/* Gives back units of a counter's window that were charged and turned out not to count: duplicates. What responses
 * under way hold stays. Nothing happens when the window is over. counter: licet_image_counter_row of the window. */
void licet_gate_credit(licet_gate *gate, uint32_t counter, uint32_t window, uint64_t units);

/* Leases: per cell and kind two totals that only rise over an epoch, but for units given back. taken <= granted. Of
 * what is granted some is kept for responses under way: an admission leaves it. */
typedef struct licet_lease_value {
    uint64_t granted; /* durable before it is stored here */
    uint64_t taken;
} licet_lease_value;
licet_lease_value licet_gate_lease(const licet_gate *gate, uint32_t cell, uint32_t kind);
void licet_gate_lease_grant(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t granted);
void licet_gate_lease_keep(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t kept);
/* Units that workers found a lease of the cell short of since the last call: of admissions all attempts together, of
 * responses under way the most that one was short of. */
uint64_t licet_gate_lease_wish(licet_gate *gate, uint32_t cell);
/* To what was granted, whatever lies there. */
void licet_gate_lease_restore(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t granted);
bool licet_gate_lease_swap(licet_gate *gate, uint32_t cell, uint32_t kind, uint64_t taken_from, uint64_t taken_to);
/* Cells in which a worker found a lease empty or below half since the last call; up to cap of them. */
uint32_t licet_gate_lease_wanted(licet_gate *gate, uint32_t *out_cells, uint32_t cap);
/* Whether there is any; takes nothing. */
bool licet_gate_lease_is_wanted(const licet_gate *gate);
uint32_t licet_gate_cells(const licet_gate *gate);

/*
 * What may go up without a slot, per cell: totals since the file was made that never fall, durable before they are
 * stored here, so that a power loss has a bound for it.
 */
void licet_gate_allow(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units);
/* What did, since the file was made. */
void licet_gate_unrecorded_all(const licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units);
/*
 * What did and is not told yet; false when nothing. Read it, make the gap record durable, then release exactly what was
 * read. Finding nothing on two calls in a row ends the outage: the allowance of 'allow N' is whole again.
 */
bool licet_gate_unrecorded(const licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units);
void licet_gate_unrecorded_release(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units);
/* So much in all is in gap records: more than was released when licetd died in between. */
void licet_gate_unrecorded_told(licet_gate *gate, uint32_t cell, uint64_t requests, uint64_t units);
/* Both at once: for where a death in between does not matter. */
bool licet_gate_unrecorded_take(licet_gate *gate, uint32_t cell, uint64_t *out_requests, uint64_t *out_units);
/* Callers nobody knew, by reason: make the count durable, then release it. A count that nobody released is told again.
 */
uint64_t licet_gate_unidentified(const licet_gate *gate, licet_reason reason);
void licet_gate_unidentified_release(licet_gate *gate, licet_reason reason, uint64_t count);
/* Refusals without a receipt of a cell, by reason; to be told and released in the same way. */
uint64_t licet_gate_refused(const licet_gate *gate, uint32_t cell, licet_reason reason);
void licet_gate_refused_release(licet_gate *gate, uint32_t cell, licet_reason reason, uint64_t count);

#ifdef __cplusplus
}
#endif

#endif
