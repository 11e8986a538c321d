/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms: what the files of the recorder share; nobody else includes it.
 *
 *   rings ──drain──► batch ──commit──► journal ──feed──► fold ──► ledgers ──seal──► checkpoints
 *                                                                   └────────────► usage tables
 *
 *  (1) Entries are staged in a batch; the fold sees them only after the journal has them durably. A batch that could
 *      not be committed is forgotten together with everything derived from it (names, ledgers): the state is opened
 *      anew from the disk.
 *  (2) A book is one ledger and what the recorder knows of it. Its number is the agreement's cell.
 *  (3) An entry with a journal number at or below book.folded is in the book already.
 */
#ifndef LICET_RECORDER_ROOMS_H
#define LICET_RECORDER_ROOMS_H

#include "counts.h"
#include "licet/lease.h"
#include "licet/step.h"
#include "recorder.h"

#include <limits.h>
#include <sys/types.h>

#define RECORDER_CONTEXTS_MAX (1u << 20)      /* of one ledger; beyond it declared values are no longer told apart */
#define RECORDER_BATCH_MAX ((size_t)64 << 20) /* bytes of entries staged at once */
#define RECORDER_FULL 256
#define RECORDER_ROUND_MAX 16384 /* receipts taken from one area in one round */
#define RECORDER_CHUNK 512u      /* read from one area before they are staged */
#define RECORDER_OLD_GATES_MAX 8

/* ---- names: the dictionaries of one ledger (context.c) ------------------- */

typedef struct recorder_name {
    uint64_t hash;
    size_t at, len;  /* of its encoding in texts */
    uint32_t number; /* 0: free */
} recorder_name;

/* Rows of a context in the image in force; for counters. */
typedef struct recorder_rows {
    uint32_t version;
    uint32_t purpose; /* of limit_purposes, one of its name; LICET_NONE: no limit names it */
    licet_scope scope;
} recorder_rows;

typedef struct recorder_names {
    uint8_t seed[16];
    licet_buffer texts;
    recorder_name *table;
    size_t table_len;  /* power of two */
    uint32_t contexts; /* last number given; numbers begin at 1 */
    uint32_t *at;      /* of each context in texts, by number - 1 */
    uint32_t at_capacity;
    recorder_rows *rows; /* by number; only while live counters are rebuilt */
    size_t rows_len;
    char **units; /* by number - 1 */
    unsigned units_len;
} recorder_names;

/* ---- books ------------------------------------------------------------------ */

typedef struct recorder_lease {
    uint64_t granted;      /* total of the epoch, durable */
    uint64_t carried;      /* what a replaced file had out when it was replaced */
    uint64_t step;         /* by how much the next grant goes beyond what is taken */
    uint64_t taken_before; /* when the step was last judged */
} recorder_lease;

/* What a party accepted. */
typedef struct recorder_accepted {
    uint8_t party;
    licet_hash agreement, catalogue;
} recorder_accepted;

typedef struct recorder_book {
    uint32_t cell;
    char name[LICET_NAME_MAX + 1];
    licet_ledger *ledger;        /* NULL until the journal said that it begins */
    uint64_t folded;             /* journal number of its last commit record */
    bool touched;                /* grew since */
    uint64_t applied;            /* entries in the usage tables */
    uint64_t image;              /* number in the newest version record; 0: none */
    uint64_t changes_image;      /* that the newest registry change is of */
    uint32_t changes_next;       /* number that follows it there */
    uint64_t counted;            /* number of the image whose counters hold what their windows used; 0: not known */
    recorder_accepted *accepted; /* owned */
    size_t accepted_len;
    recorder_names names;
    uint64_t recorded[256];             /* units in journalled receipts of the lease epoch, by unit number */
    bool gap_known;                     /* the lease epoch's gap is recorded */
    uint64_t told_requests, told_units; /* in the lease epoch's gap records of what went up without a slot */
    uint64_t signed_size;
    licet_hash signed_root;
    bool refused; /* the signer refused; said once */
    bool lags;    /* the checkpoint in the folder is not the newest that was signed */
    recorder_lease leases[LICET_KINDS_MAX];
} recorder_book;

/* What may go up without a slot: totals of the lease epoch, durable. By cell; outlives the books. */
typedef struct recorder_allowed {
    uint64_t requests, units;
    uint64_t busiest; /* requests a second, fading over an hour */
} recorder_allowed;
#define RECORDER_ALLOW_REQUESTS "without-slot:request"
#define RECORDER_ALLOW_UNITS "without-slot:unit"

/* ---- gates --------------------------------------------------------------------- */

typedef struct recorder_area {
    uint64_t ring, ids;               /* journalled durably */
    uint64_t ring_staged, ids_staged; /* in the batch under way */
    uint64_t sync_to;                 /* ring position that a sync waits for */
    uint32_t damages;                 /* found since its worker joined; fades */
    bool quarantined;                 /* its rings are not read while its worker lives */
    bool out_of_reach;                /* its head was, when it was looked at last */
    uint64_t owner;                   /* of a quarantined area */
} recorder_area;

/* The batch under way took something out of it. */
static inline bool
recorder_area_moved(const recorder_area *area)
{
    return area->ring_staged != area->ring || area->ids_staged != area->ids;
}

typedef struct recorder_gate {
    licet_gate *gate;
    uint32_t epoch, areas_len, ring, ring_ids; /* entries of a receipt ring, bytes of an id ring */
    recorder_area *areas;
    char path[LICET_GATE_PATH_MAX + 16];
    bool found; /* replaced by an earlier licetd: what changed in it while none ran was not followed */
    licet_counter_value *followed; /* of a replaced file: its counters as the new one knows them */
} recorder_gate;

/* ---- batch ----------------------------------------------------------------------- */

typedef struct recorder_staged {
    uint64_t number;
    size_t at, len;
    licet_journal_kind kind;
} recorder_staged;

/* A receipt as it came, for those who watch. */
typedef struct recorder_recent {
    uint64_t number;
    uint64_t remaining; /* UINT64_MAX: not known */
    licet_wide wide;
} recorder_recent;
#define RECORDER_RECENT_LEN 10000

/* A cached answer: which context a tuple of rows is. */
typedef struct recorder_tuple {
    uint64_t image;
    uint32_t version, app, credential, use_case, endpoint, clause, lens;
    uint8_t purpose[LICET_NAME_MAX], recipient[LICET_NAME_MAX];
    uint32_t registered; /* no padding: tuples are compared whole */
} recorder_tuple;
typedef struct recorder_cached {
    recorder_tuple tuple;
    uint32_t cell, context; /* context 0: free */
} recorder_cached;
#define RECORDER_CACHE_LEN 2048

/* Signer process, seen from here (signer/signer.h). */
typedef struct licet_signer licet_signer;

typedef struct recorder_sum { /* of one counter, from the ledgers */
    uint32_t window;
    uint64_t units;
} recorder_sum;

struct licet_recorder {
    char dir[PATH_MAX];
    int lock;
    bool with_gate;
    licet_recorder_log_to log;
    void *log_user;

    /* licet.yaml, as read now or as last read without mistakes */
    struct recorder_config {
        char party[16], key[PATH_MAX], shared_memory[LICET_GATE_PATH_MAX], group[64];
        uint16_t gate;
        licet_flow flow;
        uint32_t workers, slots;
    } config;

    licet_signer *signer;
    licet_store *store;
    licet_usage *usage;
    licet_lease_store *lease_store;
    licet_gate_keys keys;

    /* state: what is opened anew after a failure */
    licet_journal *journal;
    licet_fold *fold;
    licet_seen *seen;      /* ids that were delivered */
    recorder_book **books; /* by cell */
    uint32_t books_len;
    bool recovering;
    bool journal_lost;  /* the journal ended before what the ledgers had folded */
    uint64_t feeding;   /* journal number that the fold is fed */
    uint64_t last_tick; /* time of the newest tick */
    bool dirty;         /* something was journalled since */
    bool usage_behind;  /* the usage tables could not be brought up to date; tried again at each tick */
    uint32_t ticks;
    bool stalled;
    uint64_t retry_ms;
    char why[512];

    recorder_staged *staged;
    size_t staged_len, staged_capacity;
    licet_buffer batch;
    licet_buffer scratch, scratch_ids;
    licet_journal_position positions[LICET_JOURNAL_POSITIONS_MAX];
    size_t positions_len;
    licet_wide *wides; /* RECORDER_CHUNK of them, read and not staged yet */
    recorder_cached *cache;

    /* the gate in force and those it replaced */
    recorder_gate *gate;
    recorder_gate *old[RECORDER_OLD_GATES_MAX];
    size_t old_len;
    recorder_allowed *allowed;
    uint32_t allowed_len;
    uint64_t round_ms; /* time of the last round */
    uint64_t adopt_ms, second_ms, lease_ms;
    uint32_t fill;       /* of the fullest ring at the last round, RECORDER_FULL also when a lease ran dry */
    uint32_t minute;     /* of the unidentified callers that the gate still counts */
    uint64_t refused_ms; /* when refusals without a receipt were recorded last; 0: not since the start */
    bool recount_due;
    uint32_t lease_epoch; /* newest of the lease store */
    uint32_t seen_epoch;  /* newest of any shared-memory file found */
    bool lease_ended;
    recorder_sum *sums; /* by counter, while counters are rebuilt; NULL otherwise */
    uint32_t sums_len;
    uint64_t sums_now;

    recorder_recent *recent; /* ring */
    uint64_t recent_len;     /* ever */
    uint64_t watched_until;
    uint64_t disclosed;         /* greatest sequence of a disclosure in any ledger */
    uint64_t credited;          /* duplicates, since the start */
    uint64_t unmetered, broken; /* responses, ring entries since the start */
    recorder_counts counts;
    uint64_t began_ms;
    uint32_t damage_lines; /* said since damage_ms */
    uint64_t damage_ms;
    uint64_t committed_ms;
    uint32_t seal_next;
};

/* recorder.c */
void recorder_say(licet_recorder *r, licet_recorder_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool recorder_path(const licet_recorder *r, char out[PATH_MAX], licet_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
recorder_book *recorder_book_of(const licet_recorder *r, uint32_t cell); /* NULL: no such cell */
recorder_book *recorder_book_named(const licet_recorder *r, const char *name);
/* Something in shared memory makes no sense: counted, and said, but not so often that it fills the log. */
void recorder_damage(licet_recorder *r, counts_damage what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line that a worker can cause: said unless there were too many of late. False: left out. */
bool recorder_say_seldom(licet_recorder *r);
const char *recorder_unit_name(void *recorder, uint32_t cell, unsigned number);
/* Stops everything that writes; the state is opened anew at the next chance. */
void recorder_stall(licet_recorder *r, const licet_error *err);

/* config.c */
bool recorder_config_read(licet_recorder *r, licet_error *err);
void recorder_config_take(licet_recorder *r, const licet_site_config *config);
bool recorder_config_write(licet_recorder *r, licet_error *err);
/* First mistake as an error's text. */
bool recorder_mistakes_fail(const char *dir, const licet_mistakes *mistakes, licet_error *err);

/* state.c */
bool recorder_state_open(licet_recorder *r, uint64_t now_ms, licet_error *err);
void recorder_state_close(licet_recorder *r);
/* Where the journal says a gate was drained to. */
void recorder_gate_positions(recorder_gate *gate, const licet_journal_position *positions, size_t n);
bool recorder_books_grow(licet_recorder *r, licet_error *err);

/* commit.c */
bool recorder_stage(licet_recorder *r, licet_journal_kind kind, licet_bytes payload, uint64_t *out_number,
                    licet_error *err);
bool recorder_stage_entry(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err);
bool recorder_stage_time(licet_recorder *r, licet_journal_kind kind, uint64_t time_ms, uint64_t *out_number,
                         licet_error *err);
bool recorder_commit(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* Positions as they will be with this batch; LIMIT when it moves more areas than a commit record has room for. */
bool recorder_positions_collect(licet_recorder *r, licet_error *err);
bool recorder_on_fold_ledger(void *user, uint32_t ledger, licet_bytes name, licet_bytes party, licet_error *err);
bool recorder_on_fold_entry(void *user, uint32_t ledger, licet_bytes entry, licet_error *err);

/* context.c */
bool recorder_names_init(recorder_names *names, licet_error *err);
void recorder_names_done(recorder_names *names);
bool recorder_names_learn_context(recorder_names *names, licet_bytes entry, uint32_t *out_number, licet_error *err);
bool recorder_names_learn_unit(recorder_names *names, licet_bytes entry, licet_error *err);
/* The context of a number; its texts are borrowed until the dictionary grows. False: none. */
bool recorder_names_context(const recorder_names *names, uint32_t number, licet_context *out_context);
/* Number of a unit kind, told to the ledger before first use. */
bool recorder_unit(licet_recorder *r, recorder_book *book, licet_bytes name, uint8_t *out_number, licet_error *err);
/* 0: the ledger does not know the name. */
uint8_t recorder_unit_known(const recorder_book *book, licet_bytes name);
/* Number of the context of a response; image NULL: nothing is known of it. */
bool recorder_context(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *wide,
                      uint32_t *out_number, licet_error *err);

/* convert.c */
bool recorder_stage_wide(licet_recorder *r, const licet_wide *wide, licet_error *err);
/* A disclosure and behind it its receipt, in one batch. */
bool recorder_stage_handed(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *wide,
                           const licet_disclosure *disclosure, licet_error *err);

/* ---- the peer's decision ids (peers.c) --------------------------------------------- */

bool recorder_peers_init(licet_recorder *r, licet_error *err);
void recorder_peers_done(licet_recorder *r);
/* Stages what the first len of r->wides say of their peers: before their receipts. */
bool recorder_stage_peers(licet_recorder *r, uint32_t len, licet_error *err);

/* drain.c */
/* Drains until everything that was in the rings when it was called is journalled. */
bool recorder_drain_all(licet_recorder *r, uint64_t now_ms, licet_error *err);
bool recorder_drain(licet_recorder *r, uint64_t now_ms, uint64_t *out_work, licet_error *err);
/* Takes over what dead workers left; it comes through their rings. */
void recorder_adopt(licet_recorder *r, uint64_t now_ms);
void recorder_damages_fade(recorder_gate *gate);
/* Puts the words right that licetd alone writes. */
void recorder_mend(licet_recorder *r, recorder_gate *gate);

/* tick.c */
bool recorder_tick(licet_recorder *r, uint64_t now_ms, bool all, licet_error *err);
bool recorder_usage_follow(licet_recorder *r, licet_error *err);

/* gaps.c */
bool recorder_gap_power(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* Without a gate: keeps the time since when the epoch that did not end may have lost something. */
bool recorder_lost_keep(licet_recorder *r, licet_error *err);
bool recorder_lost_done(licet_recorder *r, licet_error *err);
/* A gap record of this gate and the lease epoch. */
void recorder_gap_learn(recorder_book *book, const licet_gap *gap);
/* What the ledgers say is told of what went up without a slot: a death may have come before the workers' file said so.
 */
void recorder_gap_told(licet_recorder *r, uint64_t now_ms);
bool recorder_gap_unrecorded_of(licet_recorder *r, recorder_gate *gate, uint64_t now_ms, licet_error *err);
bool recorder_gap_unrecorded(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* Unidentified callers and refusals without a receipt, once a minute or always. */
bool recorder_minute(licet_recorder *r, uint64_t now_ms, bool always, licet_error *err);

/* learn.c */
bool recorder_learn(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err);
bool recorder_sums_begin(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* Everything journalled so far becomes part of the ledgers, and they are summed. */
/* What one ledger says that the windows of a time have used; recorder_sums_end frees it. */
bool recorder_sums_book(licet_recorder *r, recorder_book *book, uint64_t time_ms, uint64_t now_ms, licet_error *err);
bool recorder_sums_all(licet_recorder *r, uint64_t now_ms, licet_error *err);
void recorder_sums_end(licet_recorder *r);
/* The counter and window in which units of a time stand now, by a limit, for what belongs to the rows; false: the limit
 * does not bind it, or they are out of its window. */
bool recorder_stands_in(const licet_image *image, const licet_image_limit *limit, licet_flow flow,
                        const recorder_rows *rows, uint64_t time_ms, uint64_t now_ms, uint32_t *out_row,
                        uint32_t *out_window);
recorder_rows recorder_rows_of(const licet_image *image, const licet_context *context);
void recorder_charge_gap(licet_recorder *r, recorder_book *book, const licet_gap *gap);
/* Charges a response that an older image judged with those counters of the image in force which that one had not. */
void recorder_charge_late(licet_recorder *r, const licet_image *judged, const licet_wide *wide);
/* Gives counters that images in force bring what the ledgers say of their windows. */
bool recorder_counters_seed(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* All counters of the images in force are set. */
void recorder_counted(licet_recorder *r);

/* duplicates.c */
/* Behind a receipt: which of its units are compared, by the counting rules of its version. */
bool recorder_stage_compare(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_wide *wide,
                            const licet_receipt *receipt, licet_error *err);
/* Gives up on ids of responses under way that are too many. */
bool recorder_gathered_bound(licet_recorder *r, licet_error *err);
/* Opens the set of seen ids for the fold; the ledgers are open. */
bool recorder_seen_open(licet_recorder *r, licet_error *err);
/* The journal must be read from behind this number for it. */
uint64_t recorder_seen_needs(const licet_recorder *r);
/* A credit that the fold made just now; one in a ledger that is summed. */
bool recorder_credit(licet_recorder *r, recorder_book *book, licet_bytes entry, licet_error *err);
bool recorder_sum_credit(licet_recorder *r, const recorder_book *book, licet_bytes entry, licet_error *err);

/* recount.c */
void recorder_sum_take(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units);
void recorder_counters_set(licet_recorder *r);
/* Adds units of a window, at most up to most (what is taken already stays): to the counter, to the sum. */
void recorder_counter_add(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units, uint64_t most);
/* To at least so much, in a file that nobody takes from yet. */
void recorder_counter_raise(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t taken);
void recorder_sum_add(licet_recorder *r, uint32_t counter, uint32_t window, uint64_t units, uint64_t most);
/* Gives back what dead workers left held. It reads every ledger, but only when something is. */
bool recorder_recount(licet_recorder *r, uint64_t now_ms, licet_error *err);

/* epoch.c */
bool recorder_gate_start(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* Lets the workers' group reach what it needs of data/: the api socket and the images. */
bool recorder_share(licet_recorder *r, licet_error *err);
bool recorder_gate_fits(const licet_recorder *r);
bool recorder_gate_replace(licet_recorder *r, uint64_t now_ms, licet_error *err);
/* What workers still take, and give back, in replaced files goes over into the file in force. */
void recorder_gate_old_follow(licet_recorder *r);
/* Closes those that are drained. */
bool recorder_gate_old_done(licet_recorder *r, uint64_t now_ms, licet_error *err);
void recorder_gate_free(recorder_gate *gate);
bool recorder_gate_end(licet_recorder *r, licet_error *err);

/* leases.c */
/* Lends to every agreement and every kind; after it workers may decide. */
bool recorder_leases_all(licet_recorder *r, licet_error *err);
/* What the lease store says is granted: a death may have kept it from the workers. */
bool recorder_leases_recall(licet_recorder *r, licet_error *err);
/* A new epoch: nothing is lent and nothing recorded yet. */
void recorder_leases_begin(licet_recorder *r);
/* Notes what replaced files have lent out and not recorded: it counts as lent in the new epoch. */
void recorder_leases_carry(licet_recorder *r, recorder_gate *const *before, size_t n);
/* Marks it as taken in the new file: lent there it would be lent twice. */
void recorder_leases_inherit(licet_recorder *r);
bool recorder_leases_wanted(licet_recorder *r, uint64_t now_ms, licet_error *err);

/* allow.c */
void recorder_allow_begin(licet_recorder *r);
/* False: the grant is of units that are lent. */
bool recorder_allow_recall(licet_recorder *r, const licet_lease_grant *grant);
void recorder_allow_used(licet_recorder *r, uint32_t cell, uint64_t requests_a_second);
/* Of a file that is about to be replaced: its workers no longer find a bound there. */
void recorder_allow_revoke(licet_recorder *r, licet_gate *gate);
/* Raises what lies ahead where it is less than it should be; open_only: while nothing can be recorded. */
bool recorder_allow(licet_recorder *r, bool open_only, licet_error *err);

/* publish.c */
bool recorder_publish_missing(licet_recorder *r, const licet_site *site, const licet_recorder_request *request,
                              uint64_t now_ms, licet_error *err);
/* Records what differs between the image that the ledger knows and this one (change.c). */
bool recorder_changes(licet_recorder *r, recorder_book *book, const licet_image *image, const licet_site *site,
                      const licet_recorder_request *request, uint64_t now_ms, licet_error *err);
/* Publish's, for change.c: a clear text in data/recorded; SHA-256(salt || text) with a new salt. */
bool recorder_keep_text(const licet_recorder *r, const recorder_book *book, uint64_t image, const char *name,
                        licet_bytes text, licet_error *err);
#define RECORDER_SALT_LEN 32
bool recorder_commit_to(licet_bytes text, uint8_t salt[RECORDER_SALT_LEN], licet_hash *out_commitment,
                        licet_error *err);

/* accept.c */
bool recorder_learn_acceptance(recorder_book *book, licet_bytes entry, licet_error *err);
/* Stages what the notes of the site say of the versions of an image and the ledger does not. */
bool recorder_accept(licet_recorder *r, recorder_book *book, const licet_image *image, uint64_t now_ms, uint32_t *out_n,
                     licet_error *err);

/* seal.c */
bool recorder_seal(licet_recorder *r, bool all, licet_error *err);
bool recorder_seal_recall(licet_recorder *r, recorder_book *book, licet_error *err);

/* recent.c */
bool recorder_recent_init(licet_recorder *r, licet_error *err);
void recorder_recent_add(licet_recorder *r, uint64_t number, const licet_wide *wide);

#endif
