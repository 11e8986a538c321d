/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money: exact amounts in billionths of a currency's unit, and how they are rounded.
 *
 *  (1) An amount is an integer; a product of units and a price is exact. Only licet_money_round changes an amount.
 *  (2) Text is a decimal number with a point: no exponent, no sign, no separator of thousands but the underscore that
 *      agreements may have.
 */
#ifndef LICET_MONEY_H
#define LICET_MONEY_H

#include "licet/base.h"

#if defined(LICET_LAYER) && LICET_LAYER < LICET_LAYER_BASE
#error "layer breach: money.h belongs to base/"
#endif

#ifdef __cplusplus
extern "C" {
#endif

__extension__ typedef unsigned __int128 licet_money; /* billionths */

#define LICET_MONEY_DIGITS 9 /* behind the point */
#define LICET_MONEY_ONE UINT64_C(1000000000)
#define LICET_MONEY_TEXT 48 /* bytes that any amount takes as text, its NUL included */

/* number, name, word in an agreement */
#define LICET_ROUNDS(X)                                                                                                \
    X(0, HALF_EVEN, "half-even")                                                                                       \
    X(1, HALF_UP, "half-up")                                                                                           \
    X(2, DOWN, "down")                                                                                                 \
    X(3, UP, "up")

typedef enum licet_round {
#define LICET_ROUND_ENUM(number, name, word) LICET_ROUND_##name = number,
    LICET_ROUNDS(LICET_ROUND_ENUM)
#undef LICET_ROUND_ENUM
        LICET_ROUNDS_LEN
} licet_round;

/* "0.005" → 5,000,000. False: no such number, more than nine digits behind the point, or not below 2^63. */
bool licet_money_parse(licet_bytes text, uint64_t *out_amount);
/* 5,000,000 → "0.005"; at least digits digits behind the point, no zeros behind them. */
void licet_money_format(licet_money amount, unsigned digits, char out[LICET_MONEY_TEXT]);
/* To so many digits behind the point, 0..9. Half-even: a tie goes to the even neighbour. */
licet_money licet_money_round(licet_money amount, unsigned digits, licet_round how);

#ifdef __cplusplus
}
#endif

#endif
