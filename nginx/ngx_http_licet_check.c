/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check: what nginx -t can tell before a caller meets it.
 *
 *  (1) What can never work is an error; what may work later, when licetd has started, is a warning.
 *  (2) Each message names the place, the value and what was expected.
 *  (3) Permissions are judged for the workers, not for whoever runs nginx -t.
 */
#include "ngx_http_licet.h"

#include <grp.h>
#include <pwd.h>

/* ---- order of modules ------------------------------------------------------- */

/* Where a module stands in nginx's list, the last called first; -1: it is not there. */
static ngx_int_t
ngx_http_licet_place(const ngx_cycle_t *cycle, const char *name)
{
    ngx_uint_t i;

    for (i = 0; i < cycle->modules_n; i++) {
        if (ngx_strcmp(cycle->modules[i]->name, name) == 0) {
            return (ngx_int_t)i;
        }
    }
    return -1;
}

/* The meter counts what is not compressed yet, the tail sees what goes to the kernel. */
ngx_int_t
ngx_http_licet_check_order(ngx_conf_t *cf)
{
    static const char *const encoders[] = {"ngx_http_gzip_filter_module", "ngx_http_brotli_filter_module",
                                           "ngx_http_zstd_filter_module"};
    ngx_int_t meter = ngx_http_licet_place(cf->cycle, "ngx_http_licet_meter_filter_module");
    ngx_int_t tail = ngx_http_licet_place(cf->cycle, "ngx_http_licet_tail_filter_module");
    ngx_int_t place;
    ngx_uint_t i;

    for (i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++) {
        place = ngx_http_licet_place(cf->cycle, encoders[i]);
        if (place > meter) {
            ngx_log_error(
                NGX_LOG_EMERG, cf->log, 0,
                "%s was loaded after ngx_http_licet_module and would compress what licet has to count: expected "
                "\"load_module\" of ngx_http_licet_module.so behind it",
                encoders[i]);
            return NGX_ERROR;
        }
        if (place >= 0 && place < tail) {
            ngx_log_error(
                NGX_LOG_EMERG, cf->log, 0,
                "%s stands behind licet's last filter, which would see compressed bytes as delivered: expected "
                "a build by licet's own \"config\"",
                encoders[i]);
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

/* ---- what the gate's path leads to -------------------------------------------- */

static ngx_int_t
ngx_http_licet_check_gate(ngx_conf_t *cf, ngx_http_licet_gate_t *gate)
{
    ngx_file_info_t info;

    if (ngx_file_info(gate->path.data, &info) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_WARN, cf->log, ngx_errno,
                      "licet_gate \"%V\" is not there: requests will be answered by 503 until licetd runs",
                      &gate->path);
        return NGX_OK;
    }
    if (!ngx_is_file(&info)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "licet_gate \"%V\" in %s:%ui is %s: expected the file that \"shared_memory\" of licet.yaml names",
                      &gate->path, gate->file, gate->line, ngx_is_dir(&info) ? "a folder" : "no regular file");
        return NGX_ERROR;
    }
    return NGX_OK;
}

ngx_int_t
ngx_http_licet_check_gates(ngx_conf_t *cf)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_licet_module);
    ngx_http_licet_gate_t **gates = mcf->gates.elts;
    ngx_uint_t i;

    for (i = 0; i < mcf->gates.nelts; i++) {
        if (ngx_http_licet_check_gate(cf, gates[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

/* ---- what the workers may open ---------------------------------------------------- */

#define NGX_HTTP_LICET_GROUPS 64

typedef struct {
    const char *name;
    uid_t uid;
    gid_t groups[NGX_HTTP_LICET_GROUPS];
    int groups_len;
} ngx_http_licet_worker_t;

/* Who the workers will be; false: whoever runs this, the system answers for him. */
static bool
ngx_http_licet_worker_of(const ngx_cycle_t *cycle, ngx_http_licet_worker_t *out)
{
    const ngx_core_conf_t *ccf = (ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0 || ccf->username == NULL) {
        return false;
    }
    out->name = ccf->username;
    out->uid = (uid_t)ccf->user;
    out->groups_len = NGX_HTTP_LICET_GROUPS;
    if (getgrouplist(ccf->username, (gid_t)ccf->group, out->groups, &out->groups_len) < 0) {
        out->groups_len = NGX_HTTP_LICET_GROUPS; /* more than have a place: the first of them */
    }
    return true;
}

/* Whether the worker has these bits (of rwx) at path, judged by mode and group. */
static bool
ngx_http_licet_worker_may(const ngx_http_licet_worker_t *worker, const char *path, mode_t bits)
{
    struct stat info;
    int i;

    if (stat(path, &info) != 0 || worker->uid == 0) {
        return true; /* what is missing is another message's */
    }
    if (info.st_uid == worker->uid) {
        return ((info.st_mode >> 6) & bits) == bits;
    }
    for (i = 0; i < worker->groups_len; i++) {
        if (info.st_gid == worker->groups[i]) {
            return ((info.st_mode >> 3) & bits) == bits;
        }
    }
    return (info.st_mode & bits) == bits;
}

/* The first of path's folders that keeps the worker out, or path itself; NULL: none does. */
static const char *
ngx_http_licet_worker_kept_out(const ngx_http_licet_worker_t *worker, const char *path, mode_t bits, char *out_folder,
                               size_t size)
{
    const char *slash;

    for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        if ((size_t)(slash - path) >= size) {
            return NULL;
        }
        (void)ngx_cpystrn((u_char *)out_folder, (u_char *)path, (size_t)(slash - path) + 1);
        if (!ngx_http_licet_worker_may(worker, out_folder, 1)) {
            return out_folder;
        }
    }
    return ngx_http_licet_worker_may(worker, path, bits) ? NULL : path;
}

static void
ngx_http_licet_check_access(const ngx_http_licet_worker_t *worker, ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    char folder[LICET_GATE_PATH_MAX + 1];
    licet_gate *opened = NULL;
    const char *at;

    at = ngx_http_licet_worker_kept_out(worker, (const char *)gate->path.data, 6, folder, sizeof(folder));
    if (at == NULL && licet_gate_open((const char *)gate->path.data, &opened, &err)) {
        at = ngx_http_licet_worker_kept_out(worker, licet_gate_images(opened), 1, folder, sizeof(folder));
    }
    if (at != NULL) {
        ngx_log_error(
            NGX_LOG_WARN, log, 0,
            "licet_gate \"%V\" in %s:%ui: workers run as \"%s\", whom \"%s\" keeps out, so that requests will "
            "be answered by 503: expected \"group\" of licet.yaml to name a group of theirs",
            &gate->path, gate->file, gate->line, worker->name, at);
    }
    if (opened != NULL) {
        licet_gate_close(opened);
    }
}

static void
ngx_http_licet_check_content(ngx_http_licet_gate_t *gate, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    licet_gate *opened = NULL;

    if (licet_gate_open((const char *)gate->path.data, &opened, &err)) {
        licet_gate_close(opened);
    } else if (err.code != LICET_E_NOT_FOUND) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "licet_gate \"%V\" in %s:%ui cannot be used, requests will be answered by 503: %s", &gate->path,
                      gate->file, gate->line, err.text);
    }
}

ngx_int_t
ngx_http_licet_check_workers(ngx_cycle_t *cycle)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_licet_module);
    ngx_http_licet_worker_t worker;
    ngx_http_licet_gate_t **gates;
    ngx_log_t log = *cycle->log;
    bool other;
    ngx_uint_t i;

    if (mcf == NULL) {
        return NGX_OK;
    }
    if (ngx_test_config && log.log_level < NGX_LOG_WARN) {
        log.log_level = NGX_LOG_WARN; /* who asks is told, though error_log may want errors only */
    }
    other = ngx_http_licet_worker_of(cycle, &worker);
    gates = mcf->gates.elts;
    for (i = 0; i < mcf->gates.nelts; i++) {
        ngx_http_licet_check_content(gates[i], &log);
        if (other) {
            ngx_http_licet_check_access(&worker, gates[i], &log);
        }
    }
    return NGX_OK;
}
