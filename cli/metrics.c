/* SPDX-License-Identifier: Apache-2.0 */
/*
 * licet metrics: what a running licetd has counted and sees, as a scraper gets it.
 */
#include "operator.h"
#include "site.h"

#include <stdio.h>

extern const licet_command licet_command_metrics;

static const char usage[] =
    "usage: licet metrics DIR [--json]\n"
    "\n"
    "Prints the metrics of the site DIR, as licetd serves them on DIR/data/metrics.sock: what was recorded since it "
    "began,\n"
    "how full slots, rings and disk are, how old checkpoints are. docs/format/metrics.md tells each one.\n"
    "\n"
    "  --json   the same as one JSON document instead of Prometheus' text\n"
    "\n"
    "exit status: 0 printed, 2 no licetd runs, or it failed\n";

#define ANSWER_MAX ((size_t)64 << 20)

static int
print(const char *dir, bool json)
{
    licet_buffer answer;
    licet_error err = {0};
    long status = 0;
    bool ok;

    licet_buffer_init(&answer, ANSWER_MAX);
    ok = licet_operator_call(dir, "GET", json ? "/metrics?format=json" : "/metrics?format=text", (licet_bytes){NULL, 0},
                             0, &status, &answer, &err);
    if (ok && status != 200) {
        ok = LICET_FAIL(&err, LICET_E_STATE, 0, "licetd answered %ld to GET /metrics", status);
    } else if (!ok && err.code == LICET_E_NOT_FOUND) {
        LICET_FAIL(&err, LICET_E_NOT_FOUND, 0,
                   "%s: licetd does not run for this site; what it counts lives and ends with it", dir);
    }
    if (ok && (fwrite(answer.data, 1, answer.len, stdout) != answer.len || fflush(stdout) != 0)) {
        ok = LICET_FAIL(&err, LICET_E_SYSTEM, 0, "cannot write the metrics");
    }
    licet_buffer_done(&answer);
    return ok ? LICET_EXIT_OK : licet_cli_error(&licet_command_metrics, &err);
}

static int
run(int argc, char **argv)
{
    const char *dir;
    bool json;
    int code;

    return licet_cli_site_arguments(&licet_command_metrics, argc, argv, &dir, &json, &code) ? print(dir, json) : code;
}

const licet_command licet_command_metrics = {"metrics", "what licetd counts and sees, for Prometheus", usage, run};
