/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulate: a recorded period judged once more, by other terms. What comes of it goes into usage tables of its own,
 * from which a report is made as of any others.
 *
 *  (1) Nothing is recorded, and nothing of the ledger is changed.
 *  (2) A request is judged with what was in effect when it came: app, credential, use case, purpose, recipient,
 *      endpoint, flow and time, as its receipt has them. It takes from the limits what it delivered, where the gate
 * would first have held what it could bring: a simulation refuses at most what a gate does, near a limit. (3) A request
 * that was refused brought nothing: what it would have brought is unknown, and is not guessed. It is told as released
 * when the other terms pass it. (4) Maxima of what is under way at once are not judged: receipts do not tell what
 * overlapped. (5) The same entries and terms give the same tables.
 */
#ifndef LICET_SIMULATE_H
#define LICET_SIMULATE_H

#include "licet/base.h"
#include "licet/decide.h"
#include "licet/image.h"
#include "licet/receipt.h"
#include "licet/usage.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_REPORT
#error "layer breach: simulate.h belongs to report/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct licet_simulate_options {
    const licet_image *image; /* the terms; must outlive the simulator */
    uint32_t counters;        /* above every counter of the image */
    bool enforce;             /* as if every version and clause enforced */
    uint64_t from_ms, before_ms;
} licet_simulate_options;

typedef struct licet_simulate_facts {
    uint64_t responses;    /* judged that had a receipt */
    uint64_t passed;       /* of them */
    uint64_t would_refuse; /* of those passed: refused if the terms were enforced */
    uint64_t refused;      /* of the responses */
    uint64_t refusals;     /* judged that had been refused */
    uint64_t released;     /* of them: these terms pass them */
    uint64_t unknown;      /* responses of apps that these terms do not know; refused */
} licet_simulate_facts;

typedef struct licet_simulator licet_simulator;

/* tables: empty, for writing (an empty path); borrowed. ledger: the name its figures go by. */
bool licet_simulator_new(const licet_simulate_options *options, const char *ledger, licet_usage *tables,
                         licet_simulator **out_simulator, licet_error *err);
void licet_simulator_free(licet_simulator *simulator);
/* Takes the entries of the recorded ledger, all of them from 0, in order. Only receipts and refusals of the span are
 * judged, in the order of their times within a few thousand of each other. */
bool licet_simulator_entry(licet_simulator *simulator, licet_bytes entry, licet_error *err);
/* Judges what is left and ends the tables. */
bool licet_simulator_end(licet_simulator *simulator, licet_simulate_facts *out_facts, licet_error *err);

#define LICET_RECORDED_PATH 4096u
/* Facts of a recorded request, as its context has them, by the rows of an image: for judging it once more. Method and
 * path are such that the endpoint of the context answers; those of no endpoint where it names none. path is storage
 * that the facts borrow, as the context's texts. False: the image has no such app. */
bool licet_recorded_facts(const licet_image *image, const licet_context *context, licet_flow flow, uint64_t time_ms,
                          char path[LICET_RECORDED_PATH], licet_facts *out_facts);

#ifdef __cplusplus
}
#endif

#endif
