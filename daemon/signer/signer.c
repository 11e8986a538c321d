/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer process: reads key and record once, gives up what it does not
 * need, then answers one question after the other until its socket ends.
 *
 *  (1) First of all every inherited descriptor but the socket is closed; then key and record are opened, and the key's
 *      file is closed again.
 *  (2) Questions come from the recorder, which parses strangers' bytes: they pass through a cursor, and whatever they
 *      say, a checkpoint is signed only if the consistency proof leads from the record to it.
 */
#include "signer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_TEXT_MAX 4096

enum { ASK_LAST = 1, ASK_SIGN = 2, ASK_KEY = 3, ANSWER_REFUSED = 0, ANSWER_DONE = 1 };

typedef struct signing {
    licet_signer_key key;
    signer_record *record;
} signing;

typedef struct question {
    uint8_t kind;
    licet_bytes ledger;
    uint64_t old_size, size;
    licet_hash root;
    licet_proof proof;
} question;

static bool
take_hash(licet_cursor *c, licet_hash *out)
{
    licet_bytes view;

    if (!licet_take_bytes(c, LICET_SHA256_LEN, &view)) {
        return false;
    }
    memcpy(out->bytes, view.data, LICET_SHA256_LEN);
    return true;
}

static bool
take_question(licet_bytes message, question *out)
{
    licet_cursor c = {message, 0};
    uint8_t n = 0;

    memset(out, 0, sizeof(*out));
    if (!licet_take_u8(&c, &out->kind) || !licet_take_text(&c, &out->ledger) || out->ledger.len == 0) {
        return false;
    }
    if (out->kind == ASK_SIGN) {
        if (!licet_take_u64(&c, &out->old_size) || !licet_take_u64(&c, &out->size) || !take_hash(&c, &out->root) ||
            !licet_take_u8(&c, &n) || n > LICET_PROOF_MAX) {
            return false;
        }
        for (out->proof.len = 0; out->proof.len < n; out->proof.len++) {
            if (!take_hash(&c, &out->proof.hashes[out->proof.len])) {
                return false;
            }
        }
    }
    return licet_cursor_at_end(&c);
}

/* The key of one ledger: the same seed under the name <key>/<ledger>, which is the ledger's origin. */
static bool
ledger_key(const signing *s, licet_bytes ledger, licet_signer_key *out_key, licet_error *err)
{
    char name[2 * LICET_KEY_NAME_MAX];
    int len = snprintf(name, sizeof(name), "%s/%.*s", s->key.verifier.name, (int)ledger.len, (const char *)ledger.data);

    if (len < 0 || len > LICET_KEY_NAME_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "the origin of ledger %.*s is longer than %d bytes", (int)ledger.len,
                          (const char *)ledger.data, LICET_KEY_NAME_MAX);
    }
    return licet_signer_key_make(licet_bytes_of_text(name), s->key.seed, out_key, err);
}

/* True when the asked checkpoint is the last signed one or extends it. */
static bool
extends(const question *q, uint64_t last_size, const licet_hash *last_root, licet_error *err)
{
    if (q->size < last_size) {
        return LICET_FAIL(err, LICET_E_STATE, 0,
                          "ledger %.*s: %llu entries were signed, a checkpoint of %llu would shrink it",
                          (int)q->ledger.len, (const char *)q->ledger.data, (unsigned long long)last_size,
                          (unsigned long long)q->size);
    }
    if (last_size == 0) {
        return true;
    }
    if (q->old_size != last_size) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "ledger %.*s: %llu entries were signed last, the proof begins at %llu",
                          (int)q->ledger.len, (const char *)q->ledger.data, (unsigned long long)last_size,
                          (unsigned long long)q->old_size);
    }
    if (!licet_consistency_verify(last_size, q->size, &q->proof, last_root, &q->root)) {
        return LICET_FAIL(err, LICET_E_STATE, 0,
                          "ledger %.*s: the checkpoint of %llu entries does not extend the one of %llu that was signed",
                          (int)q->ledger.len, (const char *)q->ledger.data, (unsigned long long)q->size,
                          (unsigned long long)last_size);
    }
    return true;
}

static bool
answer_sign(signing *s, const question *q, licet_buffer *out, licet_error *err)
{
    licet_checkpoint checkpoint = {.size = q->size, .root = q->root};
    licet_signer_key key;
    licet_buffer text;
    licet_hash last_root;
    uint64_t last_size;
    bool ok = false;

    licet_buffer_init(&text, SIGNER_MESSAGE_MAX);
    memset(&key, 0, sizeof(key));
    signer_record_last(s->record, q->ledger, &last_size, &last_root);
    if (!extends(q, last_size, &last_root, err) || !ledger_key(s, q->ledger, &key, err)) {
        goto done;
    }
    snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", key.verifier.name);
    if (!licet_checkpoint_format(&checkpoint, &text)) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a checkpoint");
        goto done;
    }
    if (q->size != last_size && !signer_record_store(s->record, q->ledger, q->size, &q->root, err)) {
        goto done;
    }
    ok = licet_put_u8(out, ANSWER_DONE) && licet_note_sign(licet_buffer_view(&text), &key, out, err);
done:
    explicit_bzero(&key, sizeof(key));
    licet_buffer_done(&text);
    return ok;
}

static bool
answer(signing *s, licet_bytes message, licet_buffer *out, licet_error *err)
{
    licet_signer_key key;
    licet_hash root;
    question q;
    uint64_t size;
    bool ok;

    if (!take_question(message, &q)) {
        return LICET_FAIL(err, LICET_E_INVALID, 0, "the signer does not understand a message of %zu bytes",
                          message.len);
    }
    switch (q.kind) {
    case ASK_LAST:
        signer_record_last(s->record, q.ledger, &size, &root);
        return licet_put_u8(out, ANSWER_DONE) && licet_put_u64(out, size) &&
               licet_put_bytes(out, licet_bytes_of(root.bytes, LICET_SHA256_LEN));
    case ASK_SIGN:
        return answer_sign(s, &q, out, err);
    case ASK_KEY:
        ok = ledger_key(s, q.ledger, &key, err) && licet_put_u8(out, ANSWER_DONE) &&
             licet_verifier_key_format(&key.verifier, out);
        explicit_bzero(&key, sizeof(key));
        return ok;
    default:
        return LICET_FAIL(err, LICET_E_INVALID, 0, "the signer knows no question %u", q.kind);
    }
}

static void
put_refusal(licet_buffer *out, const licet_error *err)
{
    out->len = 0;
    out->failed = false;
    licet_put_u8(out, ANSWER_REFUSED);
    licet_put_bytes(out, licet_bytes_of_text(err->text));
}

static void
serve(signing *s, int socket)
{
    uint8_t message[SIGNER_MESSAGE_MAX];
    licet_buffer out;
    licet_error err;

    for (;;) {
        ssize_t n = recv(socket, message, sizeof(message), 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        licet_buffer_init(&out, SIGNER_MESSAGE_MAX);
        memset(&err, 0, sizeof(err));
        snprintf(err.text, sizeof(err.text), "the signer has no memory");
        if (!answer(s, licet_bytes_of(message, (size_t)n), &out, &err)) {
            put_refusal(&out, &err);
        }
        n = send(socket, out.data, out.len, MSG_NOSIGNAL);
        licet_buffer_done(&out);
        if (n < 0) {
            return;
        }
    }
}

static bool
key_read(const char *path, licet_signer_key *out_key, licet_error *err)
{
    uint8_t *text = NULL;
    size_t len;
    bool ok;

    if (!licet_file_read(path, KEY_TEXT_MAX, &text, &len, err)) {
        return false;
    }
    ok = licet_signer_key_parse(licet_bytes_of(text, len > 0 && text[len - 1] == '\n' ? len - 1 : len), out_key, err);
    if (!ok && err != NULL) {
        char why[sizeof(err->text)];

        snprintf(why, sizeof(why), "%s", err->text);
        LICET_FAIL(err, LICET_E_INVALID, 0, "%s: %.400s", path, why);
    }
    explicit_bzero(text, len);
    free(text);
    return ok;
}

/* Everything but one descriptor goes. 0 to 2 stay: they are the log. */
static void
close_others(int kept)
{
    if (kept > 3) {
        syscall(SYS_close_range, 3, kept - 1, 0);
    }
    syscall(SYS_close_range, kept + 1, ~0U, 0);
}

static void
run(int socket, pid_t parent, const char *key, const char *record)
{
    signing s;
    licet_error err;
    licet_buffer out;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_others(socket); /* the site's lock among them: it shall go with the recorder */
    memset(&s, 0, sizeof(s));
    memset(&err, 0, sizeof(err));
    licet_buffer_init(&out, SIGNER_MESSAGE_MAX);
    prctl(PR_SET_NAME, "licet-signer");
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    signal(SIGINT, SIG_IGN); /* the recorder decides when it ends */
    signal(SIGTERM, SIG_IGN);
    if (getppid() != parent) {
        _exit(1);
    }
    if (!key_read(key, &s.key, &err) || !signer_record_open(record, &s.record, &err)) {
        put_refusal(&out, &err);
        send(socket, out.data, out.len, MSG_NOSIGNAL);
        _exit(1);
    }
    licet_put_u8(&out, ANSWER_DONE);
    if (send(socket, out.data, out.len, MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
    licet_buffer_done(&out);
    serve(&s, socket);
    explicit_bzero(&s.key, sizeof(s.key));
    _exit(0);
}

/* ---- the recorder's side --------------------------------------------------- */

struct licet_signer {
    int socket;
    pid_t pid;
    bool given_up;
};

/* One answer into message; false with the signer's sentence when it refused. One that does not answer in time is ended:
 * what it says later would be taken for the answer to another question. */
static bool
receive(licet_signer *signer, uint8_t message[SIGNER_MESSAGE_MAX], licet_bytes *out_answer, licet_error *err)
{
    ssize_t n;

    do {
        n = recv(signer->socket, message, SIGNER_MESSAGE_MAX, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        LICET_FAIL(err, LICET_E_SYSTEM, 0, "the signer (process %ld) does not answer: %s", (long)signer->pid,
                   n == 0 ? "it ended" : strerror(errno));
        kill(signer->pid, SIGKILL);
        signer->given_up = true;
        return false;
    }
    if (message[0] != ANSWER_DONE) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "%.*s", (int)(n - 1), (const char *)message + 1);
    }
    *out_answer = licet_bytes_of(message + 1, (size_t)n - 1);
    return true;
}

static bool
ask(licet_signer *signer, const licet_buffer *question_bytes, uint8_t message[SIGNER_MESSAGE_MAX],
    licet_bytes *out_answer, licet_error *err)
{
    if (question_bytes->failed) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory to ask the signer");
    }
    if (signer->given_up) {
        return LICET_FAIL(err, LICET_E_STATE, 0, "the signer (process %ld) was ended", (long)signer->pid);
    }
    if (send(signer->socket, question_bytes->data, question_bytes->len, MSG_NOSIGNAL) < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "the signer (process %ld) cannot be asked: %s", (long)signer->pid,
                          strerror(errno));
    }
    return receive(signer, message, out_answer, err);
}

bool
licet_signer_start(const char *key, const char *record, licet_signer **out_signer, licet_error *err)
{
    struct timeval patience = {.tv_sec = 10};
    licet_signer *signer = calloc(1, sizeof(*signer));
    uint8_t message[SIGNER_MESSAGE_MAX];
    licet_bytes ready;
    pid_t parent = getpid();
    int pair[2];

    if (signer == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the signer");
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        free(signer);
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "cannot make a socket for the signer: %s", strerror(errno));
    }
    signer->pid = fork();
    if (signer->pid == 0) {
        close(pair[0]);
        run(pair[1], parent, key, record);
    }
    close(pair[1]);
    signer->socket = pair[0];
    if (signer->pid < 0) {
        close(pair[0]);
        free(signer);
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "cannot start the signer: %s", strerror(errno));
    }
    setsockopt(signer->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (!receive(signer, message, &ready, err)) {
        licet_signer_stop(signer);
        return false;
    }
    *out_signer = signer;
    return true;
}

void
licet_signer_stop(licet_signer *signer)
{
    if (signer == NULL) {
        return;
    }
    close(signer->socket); /* its recv ends, then it does */
    while (waitpid(signer->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    free(signer);
}

bool
licet_signer_lives(const licet_signer *signer)
{
    siginfo_t info = {0};

    return !signer->given_up && waitid(P_PID, (id_t)signer->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

bool
licet_signer_last(licet_signer *signer, const char *ledger, uint64_t *out_size, licet_hash *out_root, licet_error *err)
{
    uint8_t message[SIGNER_MESSAGE_MAX];
    licet_buffer b;
    licet_bytes view;
    licet_cursor c;
    bool ok;

    licet_buffer_init(&b, SIGNER_MESSAGE_MAX);
    licet_put_u8(&b, ASK_LAST);
    licet_put_text(&b, licet_bytes_of_text(ledger));
    ok = ask(signer, &b, message, &view, err);
    licet_buffer_done(&b);
    if (!ok) {
        return false;
    }
    c = (licet_cursor){view, 0};
    if (!licet_take_u64(&c, out_size) || !take_hash(&c, out_root)) {
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "the signer's answer about ledger %s ends early", ledger);
    }
    return true;
}

bool
licet_signer_sign(licet_signer *signer, const char *ledger, uint64_t old_size, uint64_t size, const licet_hash *root,
                  const licet_proof *proof, licet_buffer *out, licet_error *err)
{
    uint8_t message[SIGNER_MESSAGE_MAX];
    licet_buffer b;
    licet_bytes note;
    bool ok;

    licet_buffer_init(&b, SIGNER_MESSAGE_MAX);
    licet_put_u8(&b, ASK_SIGN);
    licet_put_text(&b, licet_bytes_of_text(ledger));
    licet_put_u64(&b, old_size);
    licet_put_u64(&b, size);
    licet_put_bytes(&b, licet_bytes_of(root->bytes, LICET_SHA256_LEN));
    licet_put_u8(&b, (uint8_t)proof->len);
    for (unsigned i = 0; i < proof->len; i++) {
        licet_put_bytes(&b, licet_bytes_of(proof->hashes[i].bytes, LICET_SHA256_LEN));
    }
    ok = ask(signer, &b, message, &note, err);
    licet_buffer_done(&b);
    if (ok && !licet_put_bytes(out, note)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a signed checkpoint");
    }
    return ok;
}

bool
licet_signer_verifier(licet_signer *signer, const char *ledger, licet_buffer *out, licet_error *err)
{
    uint8_t message[SIGNER_MESSAGE_MAX];
    licet_buffer b;
    licet_bytes text;
    bool ok;

    licet_buffer_init(&b, SIGNER_MESSAGE_MAX);
    licet_put_u8(&b, ASK_KEY);
    licet_put_text(&b, licet_bytes_of_text(ledger));
    ok = ask(signer, &b, message, &text, err);
    licet_buffer_done(&b);
    if (ok && !licet_put_bytes(out, text)) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for a key");
    }
    return ok;
}
