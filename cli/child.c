/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes: see child.h for what holds.
 */
#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void
licet_pause(unsigned ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

    nanosleep(&time, NULL);
}

/* In the child: what it inherits is put in order, then it becomes argv. */
static void
become(char *const argv[], int out)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the parent, which stops us in order */
    signal(SIGPIPE, SIG_DFL);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

bool
licet_child_start(licet_child *child, const char *what, char *const argv[], const char *log, licet_error *err)
{
    int out = -1;
    pid_t pid;

    child->what = what;
    child->pid = 0;
    child->status = 0;
    if (log != NULL) {
        out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (out < 0) {
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be opened for writing: %s", log, strerror(errno));
        }
    }
    pid = fork();
    if (pid == 0) {
        become(argv, out);
    }
    if (out >= 0) {
        close(out);
    }
    if (pid < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be started: %s", what, strerror(errno));
    }
    child->pid = pid;
    return true;
}

bool
licet_child_running(licet_child *child)
{
    if (child->pid == 0) {
        return false;
    }
    if (waitpid(child->pid, &child->status, WNOHANG) == 0) {
        return true;
    }
    child->pid = 0;
    return false;
}

void
licet_child_stop(licet_child *child, int signal, unsigned timeout_ms)
{
    if (!licet_child_running(child)) {
        return;
    }
    kill(child->pid, signal);
    for (unsigned waited = 0; waited < timeout_ms; waited += 10) {
        if (!licet_child_running(child)) {
            return;
        }
        licet_pause(10);
    }
    kill(child->pid, SIGKILL);
    waitpid(child->pid, &child->status, 0);
    child->pid = 0;
}

static bool
gather(int in, licet_buffer *out)
{
    uint8_t block[8192];

    for (;;) {
        ssize_t n = read(in, block, sizeof(block));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        licet_put_bytes(out, licet_bytes_of(block, (size_t)n));
    }
}

bool
licet_child_run(char *const argv[], licet_buffer *out, int *out_code, licet_error *err)
{
    int ends[2] = {-1, -1};
    int status = 0;
    pid_t pid;

    if (out != NULL && pipe2(ends, O_CLOEXEC) != 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: no pipe: %s", argv[0], strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        become(argv, ends[1]);
    }
    if (ends[1] >= 0) {
        close(ends[1]);
    }
    if (pid < 0) {
        if (ends[0] >= 0) {
            close(ends[0]);
        }
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be started: %s", argv[0], strerror(errno));
    }
    if (out != NULL) {
        gather(ends[0], out);
        close(ends[0]);
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", argv[0], strerror(errno));
        }
    }
    *out_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

bool
licet_program_find(const char *name, char *buffer, licet_error *err)
{
    bool module = strstr(name, ".so") != NULL;
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len > 0) {
        self[len] = '\0';
        *strrchr(self, '/') = '\0';
        if (snprintf(buffer, PATH_MAX, "%s/%s", self, name) < PATH_MAX && access(buffer, module ? R_OK : X_OK) == 0) {
            return true;
        }
    }
    snprintf(buffer, PATH_MAX, "%s/%s", module ? LICET_MODULE_DIR : LICET_SBIN_DIR, name);
    if (access(buffer, module ? R_OK : X_OK) == 0) {
        return true;
    }
    return LICET_FAIL(err, LICET_E_NOT_FOUND, 0, "%s is neither beside this program nor at %s: was it built?", name,
                      buffer);
}

static struct sockaddr_in
loopback(uint16_t port)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static uint16_t
try_port(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    socklen_t len = sizeof(address);
    int one = 1;
    uint16_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return 0;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        got = ntohs(address.sin_port);
    }
    close(fd);
    return got;
}

uint16_t
licet_port_free(uint16_t preferred)
{
    uint16_t port = preferred != 0 ? try_port(preferred) : 0;

    return port != 0 ? port : try_port(0);
}

bool
licet_listen_free(const char *where, licet_error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const char *given = where, *colon = strrchr(where, ':');
    struct addrinfo *found = NULL;
    char host[128] = "";
    size_t len = colon != NULL ? (size_t)(colon - where) : 0;
    int one = 1, fd, why = 0;

    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    }
    if (len >= sizeof(host)) {
        return true;
    }
    memcpy(host, where, len);
    host[len] = '\0';
    if (getaddrinfo(len > 0 && strcmp(host, "*") != 0 ? host : NULL, colon != NULL ? colon + 1 : where, &hints,
                    &found) != 0) {
        return true;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        why = bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0 ? errno : 0;
        close(fd);
    }
    freeaddrinfo(found);
    return why == 0 ||
           LICET_FAIL(err, LICET_E_STATE, 0, "listen %s: %s%s", given, strerror(why),
                      why == EADDRINUSE ? "; another program has it: expected a free address and port" : "");
}

bool
licet_port_wait(uint16_t port, unsigned timeout_ms)
{
    struct sockaddr_in address = loopback(port);

    for (unsigned waited = 0; waited <= timeout_ms; waited += 20) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool open = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

        if (fd >= 0) {
            close(fd);
        }
        if (open) {
            return true;
        }
        licet_pause(20);
    }
    return false;
}
