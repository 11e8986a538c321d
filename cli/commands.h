/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of subcommands, in the order in which help shows them. A command
 * is cli/<name>.c with `const licet_command licet_command_<name>`.
 */
#ifndef LICET_COMMANDS_H
#define LICET_COMMANDS_H

#define LICET_COMMANDS(X)                                                                                              \
    X(demo)                                                                                                            \
    X(init)                                                                                                            \
    X(check)                                                                                                           \
    X(agreement)                                                                                                       \
    X(plan)                                                                                                            \
    X(up)                                                                                                              \
    X(explain)                                                                                                         \
    X(count)                                                                                                           \
    X(credential)                                                                                                      \
    X(apply)                                                                                                           \
    X(disclose)                                                                                                        \
    X(rebuild)                                                                                                         \
    X(tail)                                                                                                            \
    X(metrics)                                                                                                         \
    X(report)                                                                                                          \
    X(simulate)                                                                                                        \
    X(verify)

#endif
