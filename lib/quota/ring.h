/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings: of finished receipts and of delivered ids. One producer, the owner of
 * the area; one consumer, licetd.
 *
 *  (1) Positions only rise; what lies at a position is found by the position modulo the size, a power of two.
 *  (2) What lies between tail and head is written and stays so; the head moves by one release store behind it.
 *  (3) The consumer copies first and judges the copy: the producer may be hostile and still writing.
 */
#ifndef LICET_QUOTA_RING_H
#define LICET_QUOTA_RING_H

#include "layout.h"

/* Everything about a receipt that can be judged without its image. */
bool wide_check(const licet_gate *gate, const licet_wide *wide, licet_error *err);
/* Writes the entry at head; the caller publishes it by raising the head. */
void ring_write(const licet_gate *gate, uint32_t area, uint64_t head, const licet_wide *wide);
/* Bytes of the id ring that a chunk of that many bytes of ids needs. */
uint64_t ids_chunk_size(uint64_t ids_len);
/* Writes a chunk at head, which has room for it. */
void ids_write(const licet_gate *gate, uint32_t area, uint64_t head, const gate_chunk *chunk, licet_bytes ids);

#endif
