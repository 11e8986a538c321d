/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes of `licet up` and `licet demo`: started, watched, stopped.
 *
 *  (1) Only what was started here is ever signalled, by its pid.
 *  (2) A child dies with its parent (PR_SET_PDEATHSIG), so that nothing stays behind.
 */
#ifndef LICET_CHILD_H
#define LICET_CHILD_H

#include "licet/base.h"

#include <sys/types.h>

typedef struct licet_child {
    const char *what; /* for messages */
    pid_t pid;        /* 0: not running */
    int status;       /* of waitpid, once it ended */
} licet_child;

/* Starts argv[0] (searched in PATH). log: file that takes its stdout and stderr, or NULL to inherit them. */
bool licet_child_start(licet_child *child, const char *what, char *const argv[], const char *log, licet_error *err);
/* True while it runs; reaps it when it ended. */
bool licet_child_running(licet_child *child);
/* Sends the signal, waits at most timeout_ms, then SIGKILL. Does nothing when it does not run. */
void licet_child_stop(licet_child *child, int signal, unsigned timeout_ms);
/* Runs argv to its end with stdout and stderr into out (may be NULL: inherited). *out_code is the exit code, 128+signal
 * when it was killed. */
bool licet_child_run(char *const argv[], licet_buffer *out, int *out_code, licet_error *err);

/* Waits so long. */
void licet_pause(unsigned ms);

/* Path of a program of this package: beside this binary, else the installed one. name: licetd or
 * ngx_http_licet_module.so. Borrowed from buffer of PATH_MAX bytes. */
bool licet_program_find(const char *name, char *buffer, licet_error *err);

/* A TCP port of 127.0.0.1 that nobody listens on: preferred, or else any. 0 when there is none. */
uint16_t licet_port_free(uint16_t preferred);
/* Nobody listens on ADDRESS:PORT, and this process may; else why not. What is no address is nginx's to judge. */
bool licet_listen_free(const char *where, licet_error *err);
/* True once something accepts connections on 127.0.0.1:port; waits at most timeout_ms. */
bool licet_port_wait(uint16_t port, unsigned timeout_ms);

#endif
