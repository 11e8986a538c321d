/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step: what a module and a licetd of the crash test do at each numbered step
 * (include/licet/step.h): count it, and die there when they are told to.
 *
 *  (1) What to do lies in a small file that the environment names (LICET_STEPS), mapped by everybody: a worker that
 * nginx starts instead of the dead one goes on, for what was armed is spent. (2) Only the process that takes the order
 * away dies by it. (3) It is never installed, and without the variable it does nothing.
 */
#include "licet/step.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEPS_MAX 128
#ifndef STEP_SIDE
#error "STEP_SIDE: 0 is a worker of nginx, 1 is licetd"
#endif

/* The file: tests/e2e/lib/steps.mjs writes and reads it. */
typedef struct step_file {
    uint32_t side, number, passage; /* where to die; number 0: nowhere */
    uint32_t passed;                /* how often the armed step was passed */
    uint32_t deaths;
    uint32_t reserved[11];
    uint32_t counts[2][STEPS_MAX];
} step_file;

static step_file *steps;

__attribute__((constructor)) static void
steps_open(void)
{
    const char *path = getenv("LICET_STEPS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd >= 0 ? mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0) {
        close(fd);
    }
    steps = map != MAP_FAILED ? map : NULL;
}

void
licet_step(enum licet_step_number number)
{
    uint32_t armed = (uint32_t)number;

    if (steps == NULL) {
        return;
    }
    __atomic_fetch_add(&steps->counts[STEP_SIDE][number], 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&steps->number, __ATOMIC_SEQ_CST) != armed || steps->side != STEP_SIDE ||
        __atomic_add_fetch(&steps->passed, 1, __ATOMIC_SEQ_CST) != steps->passage) {
        return;
    }
    if (__atomic_compare_exchange_n(&steps->number, &armed, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&steps->deaths, 1, __ATOMIC_SEQ_CST);
        kill(getpid(), SIGKILL);
    }
}
