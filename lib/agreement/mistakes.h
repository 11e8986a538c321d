/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes: what is wrong in the files of a site, collected over a whole run.
 *
 *  (1) A mistake that cannot be kept for want of memory makes the run fail: no list is shorter than the truth in
 *      silence. The only cut is at LICET_MISTAKES_MAX, and the list says so.
 */
#ifndef LICET_AGREEMENT_MISTAKES_H
#define LICET_AGREEMENT_MISTAKES_H

#include "licet/agreement.h"

#define LICET_MISTAKES_MAX 1000u

#endif
