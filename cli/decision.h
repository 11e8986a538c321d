/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision that was made, explained from what is recorded of it: licet explain DIR DECISION.
 *
 *   decision_find.c      its entries in a ledger, in three passes
 *   decision_then.c      the terms in force then: the image of that time, or one made anew from the recorded files
 *   decision_counters.c  what its limits had used before it, from the entries
 *   decision_registry.c  the registry changes that permitted it, and who made them
 *   decision.c           the order of all this, and what today's terms would say
 *   decision_show.c, decision_json.c
 *
 *  (1) The ledger is read and never changed; memory is bounded by its dictionaries, not by its length.
 *  (2) What is not recorded is not guessed: the path and its query, what was declared and not taken.
 */
#ifndef LICET_CLI_DECISION_H
#define LICET_CLI_DECISION_H

#include "explain.h"
#include "site.h"

#include "licet/ledger.h"
#include "licet/simulate.h"
#include "licet/store.h"

#define DECISION_KINDS 256u
#define DECISION_CHANGES_MAX 64u /* the newest that concern it */

/* An image that a ledger says was applied. */
typedef struct decision_applied {
    uint64_t number, time_ms;
    bool has_hashes; /* of the version that the decision names */
    licet_hash agreement, catalogue;
} decision_applied;

/* What a ledger holds of it. */
typedef struct decision_record {
    const char *ledger; /* its name */
    licet_identity identity;
    char id[LICET_DECISION_TEXT];
    uint64_t index;        /* of its first entry */
    licet_receipt receipt; /* of a refusal made up of its run; units are below */
    bool found, refused;   /* refused: it stands in a run */
    uint32_t run;          /* refusals of that run */
    uint64_t first_ms;     /* of the run; the time of the receipt is that of the last */
    licet_reason reason;   /* why refused, or why it would have been; NONE */
    bool has_reason;       /* of one that observe mode passed: whether the receipt says why */
    licet_context context; /* texts in context_entry */
    licet_buffer context_entry;
    char *kinds[DECISION_KINDS]; /* by number; NULL: none */
    uint64_t units[DECISION_KINDS], credited[DECISION_KINDS];
    bool has_peer, disclosed;
    uint8_t peer[16];
    licet_disclosure disclosure; /* of a file handed over; its files are not kept */
    decision_applied applied[2]; /* the newest that was applied by then, and the one before; number 0: none */
} decision_record;

/* Looks it up in an open ledger. False with err; or *found false: the ledger does not hold it. */
bool decision_find(licet_ledger *ledger, const char *name, licet_identity identity, decision_record *out,
                   licet_error *err);
void decision_record_done(decision_record *record);
/* What was counted of a kind (no prefix), or what it stays charged with of one ('held:'). */
uint64_t decision_units(const decision_record *record, const char *prefix, const char *kind);

/* The terms of a time; one of store and compiled holds the image. */
typedef struct decision_terms {
    uint64_t number;  /* of the image; 0: none */
    uint64_t time_ms; /* of applying */
    bool anew;        /* made anew from the recorded files */
    char *reason;     /* of applying, as recorded; NULL: erased, or not known */
    licet_cli_image compiled;
    const licet_image *image; /* NULL: they cannot be had */
    char why_not[600];
} decision_terms;

/* Gets the image of that number, as it was applied; its files are compared with the hashes in the ledger. */
void decision_then(const char *dir, licet_store *store, const decision_record *record, const decision_applied *applied,
                   decision_terms *out);
void decision_terms_done(decision_terms *terms);

/* What a limit had used, in its window, of weighed units. */
typedef struct decision_use {
    uint64_t begin_ms, end_ms; /* of the window */
    uint64_t before;           /* by what was admitted earlier, duplicates taken off */
    uint64_t own, own_credited;
    uint64_t hidden; /* the most that gaps hide, UINT64_MAX at most */
    uint32_t gaps;
} decision_use;

/* A judgement of its facts by an image. */
typedef struct decision_judgement {
    const licet_image *image;
    bool known; /* the image has the app */
    char path[LICET_RECORDED_PATH];
    licet_facts facts;
    licet_explanation explanation;
    decision_use use[LICET_LIMITS_PER_REQUEST_MAX]; /* of explanation.amounts.limits */
} decision_judgement;

/* Counts what the limits of the judgements had used when the decision was made. */
bool decision_count(licet_ledger *ledger, const decision_record *record, decision_judgement *const *judgements,
                    size_t len, licet_error *err);

/* A registry change, with the clear texts where they are still kept. */
typedef struct decision_change {
    licet_change_record record;
    char id[LICET_NAME_MAX + 1];
    char *words, *who, *as, *approved; /* NULL: nothing was said, or it is erased */
    bool erased, differs;              /* a text is gone; one is not what the ledger commits to */
} decision_change;
typedef struct decision_changes {
    decision_change *list; /* in the order of the ledger */
    size_t len;
    uint64_t left_out; /* older ones */
} decision_changes;
/* What was recorded by then of the use case, the recipient and the entity it belongs to (len 0: none). */
bool decision_registry(const char *dir, licet_ledger *ledger, const decision_record *record, licet_bytes entity,
                       decision_changes *out, licet_error *err);
void decision_changes_done(decision_changes *changes);

/* How today's terms differ for it. */
typedef struct decision_today {
    bool differs;     /* at the time of the decision, back-dated as they may be */
    bool differs_now; /* if it came now */
    char then[500], now[500];
    licet_buffer words; /* what differs between the two images and may concern it, one line each */
    uint64_t left_out;  /* lines */
} decision_today;

typedef struct decision {
    const char *dir;
    bool json;
    decision_record record;
    decision_terms terms;
    decision_judgement *then, *today, *now; /* then: image NULL where the terms cannot be had */
    const licet_image *in_force;            /* NULL: the agreement is gone */
    bool agrees;                            /* then's rules say what is recorded */
    decision_changes changes;
    decision_today difference;
} decision;

/* 1: it was refused; 0: passed; 2: it could not be told. */
int licet_cli_explain_decision(const licet_command *command, const char *dir, const char *id, bool json);

/* decision.c, for showing. What a limit still had room for. */
uint64_t decision_room(const licet_verdict_limit *bound, const decision_use *use);
/* Units of a kind reserved at its admission: at least and at most, for the page that it asked for is not recorded. */
void decision_reserved(const decision *d, uint32_t kind, uint64_t *out_least, uint64_t *out_most);
/* How it ended, in words. */
void decision_ending(const decision *d, char *out, size_t size);

void decision_print(const decision *d);
/* A new reference. */
json_t *decision_json(const decision *d);

#endif
