/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own: the words of the shared memory that licetd alone writes, as licetd
 * knows them.
 *
 *  (1) Who can write the file can write these words too. Where licetd reads them it takes its own copy; what lies in
 *      the file is for the workers, and is put right again.
 *  (2) A worker has no copy and reads the file.
 */
#include "layout.h"

#include <stdlib.h>
#include <string.h>

bool
licet_gate_serve(licet_gate *gate, licet_error *err)
{
    gate_own *own = calloc(1, sizeof(*own) + gate->at.areas * sizeof(own->areas[0]));

    if (own == NULL) {
        return LICET_FAIL(err, LICET_E_MEMORY, 0, "%s: no memory for %u areas", gate->path, gate->at.areas);
    }
    memcpy(own->stamp, gate->header, sizeof(own->stamp));
    own->generation = GATE_LOAD(&gate->header->generation);
    own->shut = GATE_LOAD(&gate->header->shut);
    for (uint32_t area = 0; area < gate->at.areas; area++) {
        own->areas[area].tail = GATE_LOAD(&gate_area_at(gate, area)->tail);
        own->areas[area].ids_tail = GATE_LOAD(&gate_area_at(gate, area)->ids_tail);
    }
    free(gate->own);
    gate->own = own;
    return true;
}

void
licet_gate_drained(licet_gate *gate, uint32_t area, uint64_t ring, uint64_t ids)
{
    if (area < gate->at.areas) {
        if (gate->own != NULL) {
            gate->own->areas[area].tail = ring;
            gate->own->areas[area].ids_tail = ids;
        }
        GATE_STORE(&gate_area_at(gate, area)->ids_tail, ids);
        GATE_STORE(&gate_area_at(gate, area)->tail, ring);
    }
}

static bool
mend_word(uint64_t *word, uint64_t value)
{
    if (GATE_LOAD(word) == value) {
        return false;
    }
    GATE_STORE(word, value);
    return true;
}

licet_gate_mended
licet_gate_mend(licet_gate *gate)
{
    licet_gate_mended mended = {0};

    if (gate->own == NULL) {
        return mended;
    }
    if (memcmp(gate->header, gate->own->stamp, sizeof(gate->own->stamp)) != 0) {
        memcpy(gate->header, gate->own->stamp, sizeof(gate->own->stamp));
        mended.stamps++;
    }
    mended.stamps += mend_word(&gate->header->generation, gate->own->generation) ? 1 : 0;
    mended.stamps += mend_word(&gate->header->shut, gate->own->shut) ? 1 : 0;
    for (uint32_t index = 0; index < gate->at.areas; index++) {
        gate_area *area = gate_area_at(gate, index);

        mended.tails += mend_word(&area->tail, gate->own->areas[index].tail) ? 1 : 0;
        mended.tails += mend_word(&area->ids_tail, gate->own->areas[index].ids_tail) ? 1 : 0;
    }
    return mended;
}

licet_gate_faults
licet_gate_faults_seen(const licet_gate *gate)
{
    return gate->own != NULL ? gate->own->faults : (licet_gate_faults){0};
}

void
licet_gate_suspect(licet_gate *gate, uint32_t area)
{
    if (gate->own != NULL && area < gate->at.areas) {
        gate->own->areas[area].suspect = true;
    }
}

bool
licet_gate_kept(const licet_gate *gate, uint32_t area)
{
    return area < gate->at.areas && gate->kept[area] != KEPT_NOT;
}

uint64_t
licet_gate_owner(const licet_gate *gate, uint32_t area)
{
    return area < gate->at.areas ? GATE_LOAD(&gate_area_at(gate, area)->owner) : 0;
}
