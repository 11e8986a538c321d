/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limit room: an upper bound of how many limits bind one request, for check and for whoever opens an image.
 *
 *  (1) A request has one endpoint, one product and one app: limits of some endpoints count at those, others of some
 *      products at those, others of some apps at those, the rest everywhere; the bound adds up the greatest of each.
 *  (2) What has a row beyond LIMIT_ROOM_ROWS counts everywhere.
 */
#ifndef LICET_AGREEMENT_LIMIT_ROOM_H
#define LICET_AGREEMENT_LIMIT_ROOM_H

#include <stdint.h>

#define LIMIT_ROOM_ROWS 4096u

typedef struct limit_room_part {
    uint32_t most, most_row;
    uint16_t bound[LIMIT_ROOM_ROWS];
} limit_room_part;

typedef struct limit_room {
    uint32_t everywhere;
    limit_room_part endpoints, products, apps;
} limit_room;

static inline void
limit_room_add(limit_room *room, limit_room_part *part, uint32_t row)
{
    if (row >= LIMIT_ROOM_ROWS || part->bound[row] == UINT16_MAX) {
        room->everywhere++;
        return;
    }
    part->bound[row]++;
    if (part->bound[row] > part->most) {
        part->most = part->bound[row];
        part->most_row = row;
    }
}

static inline uint32_t
limit_room_most(const limit_room *room)
{
    return room->everywhere + room->endpoints.most + room->products.most + room->apps.most;
}

#endif
