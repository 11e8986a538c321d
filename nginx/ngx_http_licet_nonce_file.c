/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of the used signatures: one file beside the first gate's, mapped by every nginx that serves it.
 *
 *      <licet_gate>.nonces:  head (what made it, when, closed?) ─► buckets (ngx_http_licet_nonces.c)
 *
 *  (1) A reload, a binary upgrade in which two nginx serve at once, a stop and a start: all map the same file, so that
 * a signature is good once among them. (2) Where another file has to take its place (another size), the old one is
 * closed first: a worker that still serves by it accepts no signature, and the new one accepts none that was created by
 * then. (3) A file of before the machine's last start is not believed: the last of what was noted may have been in
 * memory. (4) It is nginx's own: made by whoever runs the master, with no link in its path's end, readable by nobody
 * else. Workers have it from their master. (5) All of its room is there before it is used: a full disk is found here,
 * not by a signal in a worker. (6) Where none can be made each nginx has memory of its own, and says what that means.
 */
#include "ngx_http_licet.h"

#include <sys/mman.h>

static const u_char ngx_http_licet_nonces_magic[16] = "licet nonces 1\n";

/* What tells one start of the machine from another; empty where the system does not tell. */
static void
ngx_http_licet_boot(u_char out_boot[40])
{
    ngx_fd_t fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    ngx_memzero(out_boot, 40);
    if (fd == NGX_INVALID_FILE) {
        return;
    }
    if (read(fd, out_boot, 36) != 36) {
        ngx_memzero(out_boot, 40);
    }
    (void)close(fd);
}

static void
ngx_http_licet_nonces_head(ngx_http_licet_nonces_t *nonces, size_t size, const u_char boot[40])
{
    ngx_memcpy(nonces->magic, ngx_http_licet_nonces_magic, sizeof(nonces->magic));
    ngx_memcpy(nonces->boot, boot, sizeof(nonces->boot));
    nonces->size = size;
    nonces->made_s = (uint64_t)time(NULL); /* nginx's own clock may be some milliseconds behind */
}

static ngx_http_licet_nonces_t *
ngx_http_licet_nonces_map(ngx_fd_t fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | (fd == -1 ? MAP_ANONYMOUS : 0), fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* What is at path, where it is ours; NULL: nothing is, or another's. Its size may be another than the one wanted. */
static ngx_http_licet_nonces_t *
ngx_http_licet_nonces_found(const char *path, const u_char boot[40], size_t *out_size)
{
    ngx_fd_t fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ngx_http_licet_nonces_t *nonces = NULL;
    struct stat info;

    if (fd == NGX_INVALID_FILE) {
        return NULL;
    }
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0 &&
        info.st_size >= (off_t)sizeof(ngx_http_licet_nonces_t)) {
        *out_size = (size_t)info.st_size;
        nonces = ngx_http_licet_nonces_map(fd, *out_size);
    }
    (void)close(fd);
    if (nonces != NULL && (ngx_memcmp(nonces->magic, ngx_http_licet_nonces_magic, sizeof(nonces->magic)) != 0 ||
                           nonces->size != *out_size || boot[0] == '\0' ||
                           ngx_memcmp(nonces->boot, boot, sizeof(nonces->boot)) != 0 || atomic_load(&nonces->closed))) {
        (void)munmap(nonces, *out_size);
        nonces = NULL;
    }
    return nonces;
}

/* A new file, not in its place yet; errno says why there is none. */
static ngx_http_licet_nonces_t *
ngx_http_licet_nonces_make(const char *path, size_t size)
{
    ngx_http_licet_nonces_t *nonces = NULL;
    ngx_fd_t fd;
    int failed;

    (void)unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd == NGX_INVALID_FILE) {
        return NULL;
    }
    failed = posix_fallocate(fd, 0, (off_t)size);
    if (failed == 0) {
        nonces = ngx_http_licet_nonces_map(fd, size);
        failed = nonces == NULL ? errno : 0;
    }
    (void)close(fd);
    if (nonces == NULL) {
        (void)unlink(path);
        errno = failed;
    }
    return nonces;
}

/* A file of this size in its place, the old one closed; NULL with errno. */
static ngx_http_licet_nonces_t *
ngx_http_licet_nonces_replace(const char *path, const char *fresh, size_t size, const u_char boot[40],
                              ngx_http_licet_nonces_t *old)
{
    ngx_http_licet_nonces_t *nonces = ngx_http_licet_nonces_make(fresh, size);
    int failed;

    if (nonces == NULL) {
        return NULL;
    }
    if (old != NULL) {
        atomic_store(&old->closed, 1);
    }
    ngx_http_licet_nonces_head(nonces, size, boot);
    if (rename(fresh, path) != 0) {
        failed = errno;
        (void)unlink(fresh);
        (void)munmap(nonces, size);
        errno = failed;
        return NULL;
    }
    return nonces;
}

static void
ngx_http_licet_nonces_close(void *data)
{
    ngx_http_licet_main_conf_t *mcf = data;

    (void)munmap(mcf->nonces, mcf->nonces_size);
    mcf->nonces = NULL;
}

static ngx_http_licet_nonces_t *
ngx_http_licet_nonces_at(const ngx_str_t *gate, size_t size, ngx_log_t *log)
{
    char path[LICET_GATE_PATH_MAX + 16], fresh[LICET_GATE_PATH_MAX + 16];
    ngx_http_licet_nonces_t *nonces, *found;
    size_t found_size = 0;
    u_char boot[40];

    (void)snprintf(path, sizeof(path), "%.*s.nonces", (int)gate->len, (const char *)gate->data);
    (void)snprintf(fresh, sizeof(fresh), "%.*s.nonces~", (int)gate->len, (const char *)gate->data);
    ngx_http_licet_boot(boot);
    found = ngx_http_licet_nonces_found(path, boot, &found_size);
    if (found != NULL && found_size == size) {
        return found;
    }
    nonces = ngx_http_licet_nonces_replace(path, fresh, size, boot, found);
    if (nonces == NULL) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "licet_signature_nonces: \"%s\" cannot be made: used signatures are remembered in memory of this "
                      "nginx alone, and while a binary upgrade has two of them a signature may pass at both",
                      path);
        nonces = ngx_http_licet_nonces_map(-1, size);
        if (nonces != NULL) {
            ngx_http_licet_nonces_head(nonces, size, boot);
        }
    }
    if (found != NULL) {
        (void)munmap(found, found_size);
    }
    return nonces;
}

/* A reload that serves by another file, for its first gate is another: workers that leave accept nothing more by the
 * last. */
static void
ngx_http_licet_nonces_leave(ngx_cycle_t *old, const ngx_str_t *gate)
{
    ngx_http_licet_main_conf_t *mcf =
        old->conf_ctx != NULL ? ngx_http_cycle_get_module_main_conf(old, ngx_http_licet_module) : NULL;
    ngx_http_licet_gate_t **gates;

    if (mcf == NULL || mcf->nonces == NULL) {
        return;
    }
    gates = mcf->gates.elts;
    if (gates[0]->path.len != gate->len || ngx_memcmp(gates[0]->path.data, gate->data, gate->len) != 0) {
        atomic_store(&mcf->nonces->closed, 1);
    }
}

ngx_int_t
ngx_http_licet_nonces_open(ngx_cycle_t *cycle, ngx_http_licet_main_conf_t *mcf)
{
    ngx_http_licet_gate_t **gates = mcf->gates.elts;
    ngx_pool_cleanup_t *cleanup;

    if (!mcf->signatures || mcf->gates.nelts == 0 || ngx_test_config) {
        return NGX_OK;
    }
    cleanup = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cleanup == NULL) {
        return NGX_ERROR;
    }
    if (mcf->nonces_size == NGX_CONF_UNSET_SIZE) {
        mcf->nonces_size = 8 * 1024 * 1024;
    }
    ngx_http_licet_nonces_leave(cycle->old_cycle, &gates[0]->path);
    mcf->nonces = ngx_http_licet_nonces_at(&gates[0]->path, mcf->nonces_size, cycle->log);
    if (mcf->nonces == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "licet_signature_nonces: no memory of %uz bytes: signed requests are answered by 503",
                      mcf->nonces_size);
        return NGX_OK;
    }
    cleanup->handler = ngx_http_licet_nonces_close;
    cleanup->data = mcf;
    return NGX_OK;
}
