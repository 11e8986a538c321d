/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ngx_http_licet_module: directives, and where in nginx the module stands.
 *
 *   licet on | off             http, server, location   what passes is licensed content
 *   licet_gate FILE            http, server             the shared memory of licetd
 *   licet_app VALUE | off      http, server, location   the app, named by what stands in front
 *   licet_flow acquired | passed-on
 *                              http, server, location   the flow that the gate stands in, where it is not the site's
 *   licet_problems URI         http, server, location   what the types of refusals begin with
 *   licet_jwks FILE ...        http, server, location   tokens of an identity provider, by its keys
 *   licet_signatures on | off  http, server, location   signed requests, in the Web Bot Auth profile
 *   licet_signature_nonces SIZE  http                   room for what was used of them
 *   licet_api on | off         location                 the licensee's API: who asks, told to licetd
 *
 *  (1) What is on has a gate, or nginx -t fails and says where it was switched on.
 *  (2) A gate file that is not there yet is no error: licetd may start later.
 */
#include "ngx_http_licet.h"

static char *ngx_http_licet_switch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_licet_set_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_licet_set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_licet_set_problems(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_licet_set_signatures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_licet_set_nonces(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

static ngx_conf_enum_t ngx_http_licet_flows[] = {{ngx_string("acquired"), LICET_FLOW_ACQUIRED},
                                                 {ngx_string("passed-on"), LICET_FLOW_PASSED_ON},
                                                 {ngx_null_string, 0}};

static ngx_command_t ngx_http_licet_commands[] = {
    {ngx_string("licet"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG,
     ngx_http_licet_switch, NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_licet_loc_conf_t, enable), NULL},
    {ngx_string("licet_gate"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_TAKE1, ngx_http_licet_set_gate,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("licet_app"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
     ngx_http_licet_set_app, NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_licet_loc_conf_t, app), NULL},
    {ngx_string("licet_flow"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
     ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_licet_loc_conf_t, flow), ngx_http_licet_flows},
    {ngx_string("licet_problems"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
     ngx_http_licet_set_problems, NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_licet_loc_conf_t, problems), NULL},
    {ngx_string("licet_jwks"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
     ngx_http_licet_set_jwks, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("licet_signatures"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG,
     ngx_http_licet_set_signatures, NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_licet_loc_conf_t, signatures), NULL},
    {ngx_string("licet_signature_nonces"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_http_licet_set_nonces,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(ngx_http_licet_main_conf_t, nonces_size), NULL},
    {ngx_string("licet_api"), NGX_HTTP_LOC_CONF | NGX_CONF_FLAG, ngx_http_licet_switch, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_licet_loc_conf_t, api), NULL},
    ngx_null_command,
};

static char *
ngx_http_licet_switch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_loc_conf_t *lcf = conf;

    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;
    return ngx_conf_set_flag_slot(cf, cmd, conf);
}

static char *
ngx_http_licet_set_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_loc_conf_t *lcf = conf;
    ngx_http_licet_main_conf_t *mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_licet_module);
    ngx_http_licet_gate_t **gates = mcf->gates.elts, **slot;
    ngx_str_t *value = cf->args->elts, path = value[1];
    ngx_uint_t i;

    (void)cmd;
    if (lcf->gate != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }
    if (path.len == 0) {
        return "is empty: expected the file that \"shared_memory\" of licet.yaml names";
    }
    if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    for (i = 0; i < mcf->gates.nelts; i++) {
        if (gates[i]->path.len == path.len && ngx_strncmp(gates[i]->path.data, path.data, path.len) == 0) {
            lcf->gate = gates[i];
            return NGX_CONF_OK;
        }
    }
    slot = ngx_array_push(&mcf->gates);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }
    *slot = ngx_pcalloc(cf->pool, sizeof(ngx_http_licet_gate_t));
    if (*slot == NULL) {
        return NGX_CONF_ERROR;
    }
    (*slot)->path = path;
    (*slot)->file = cf->conf_file->file.name.data;
    (*slot)->line = cf->conf_file->line;
    lcf->gate = *slot;
    return NGX_CONF_OK;
}

/* A URI that a name can stand behind; it goes into JSON as it is. */
static char *
ngx_http_licet_set_problems(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t *value = cf->args->elts;
    size_t i;

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] <= 0x20 || value[1].data[i] >= 0x7f || value[1].data[i] == '"' ||
            value[1].data[i] == '\\') {
            return "has a character that is none of a URI's";
        }
    }
    if (value[1].len == 0 || (value[1].data[value[1].len - 1] != '/' && value[1].data[value[1].len - 1] != ':' &&
                              value[1].data[value[1].len - 1] != '#')) {
        return "does not end in \"/\", \":\" or \"#\": expected a URI that the name of a problem stands behind, such "
               "as "
               "https://api.example.com/.well-known/licet/problems/";
    }
    return ngx_conf_set_str_slot(cf, cmd, conf);
}

static char *
ngx_http_licet_set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts;
    char *rc;

    if (value[1].len == 0) {
        return "is empty: expected a variable that names the app, or \"off\"";
    }
    if (lcf->app == NULL && ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_null(&value[1]);
    }
    rc = ngx_http_set_complex_value_slot(cf, cmd, conf);
    if (rc == NGX_CONF_OK && value[1].len > 0 && lcf->app->lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "licet_app \"%V\" has no variable: whoever reaches this is taken for that app", &value[1]);
    }
    return rc;
}

static char *
ngx_http_licet_set_signatures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_licet_module);
    ngx_http_licet_loc_conf_t *lcf = conf;
    char *rc = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rc == NGX_CONF_OK && lcf->signatures) {
        mcf->signatures = 1;
    }
    return rc;
}

static char *
ngx_http_licet_set_nonces(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_licet_main_conf_t *mcf = conf;
    char *rc = ngx_conf_set_size_slot(cf, cmd, conf);

    if (rc == NGX_CONF_OK && (mcf->nonces_size < 64 * 1024 || mcf->nonces_size > (size_t)4 << 30)) {
        return "expected a size from 64k to 4096m: 100 bytes for each signature that has not ended";
    }
    return rc;
}

static void *
ngx_http_licet_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_licet_main_conf_t *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_licet_main_conf_t));
    if (mcf == NULL || ngx_array_init(&mcf->gates, cf->pool, 1, sizeof(ngx_http_licet_gate_t *)) != NGX_OK) {
        return NULL;
    }
    mcf->nonces_size = NGX_CONF_UNSET_SIZE;
    return mcf;
}

static void *
ngx_http_licet_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_licet_loc_conf_t *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_licet_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }
    lcf->enable = NGX_CONF_UNSET;
    lcf->flow = NGX_CONF_UNSET_UINT;
    lcf->api = NGX_CONF_UNSET;
    lcf->gate = NGX_CONF_UNSET_PTR;
    lcf->signatures = NGX_CONF_UNSET;
    return lcf;
}

static char *
ngx_http_licet_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_licet_loc_conf_t *prev = parent;
    ngx_http_licet_loc_conf_t *conf = child;

    if (conf->enable == 1 && conf->api == 1) {
        ngx_log_error(
            NGX_LOG_EMERG, cf->log, 0,
            "\"licet on\" and \"licet_api on\" in one location, at %s:%ui: expected one of them, for what licetd "
            "answers is not metered",
            conf->file, conf->line);
        return NGX_CONF_ERROR;
    }
    if (conf->enable == NGX_CONF_UNSET && conf->api == NGX_CONF_UNSET) {
        conf->file = prev->file;
        conf->line = prev->line;
    }
    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_value(conf->api, prev->api, 0);
    ngx_conf_merge_str_value(conf->problems, prev->problems, "urn:licet:problem:");
    ngx_conf_merge_uint_value(conf->flow, prev->flow, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_ptr_value(conf->gate, prev->gate, NULL);
    ngx_conf_merge_value(conf->signatures, prev->signatures, 0);
    if (conf->jwks == NULL) {
        conf->jwks = prev->jwks;
    }
    if (conf->app == NULL) {
        conf->app = prev->app;
    }
    if ((conf->enable || conf->api) && conf->gate == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" in %s:%ui needs \"licet_gate FILE\" in its server or in http: the file that "
                      "\"shared_memory\" of licet.yaml names",
                      conf->api ? "licet_api on" : "licet on", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

/* ---- phases ---------------------------------------------------------------- */

static ngx_int_t
ngx_http_licet_log_handler(ngx_http_request_t *r)
{
    ngx_http_licet_ctx_t *ctx = r == r->main ? ngx_http_licet_find(r) : NULL;

    if (ctx != NULL) {
        ngx_http_licet_settle(ctx, true, false);
    }
    return NGX_OK;
}

static ngx_int_t
ngx_http_licet_add_handler(ngx_http_core_main_conf_t *cmcf, ngx_uint_t phase, ngx_http_handler_pt handler)
{
    ngx_http_handler_pt *h;

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    *h = handler;
    return NGX_OK;
}

static ngx_int_t
ngx_http_licet_init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (ngx_http_licet_check_order(cf) != NGX_OK || ngx_http_licet_check_gates(cf) != NGX_OK) {
        return NGX_ERROR;
    }
    /* PRECONTENT: after satisfy, auth_request and limit_req have had their say, and before try_files */
    if (ngx_http_licet_add_handler(cmcf, NGX_HTTP_PRECONTENT_PHASE, ngx_http_licet_handler) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_licet_add_handler(cmcf, NGX_HTTP_LOG_PHASE, ngx_http_licet_log_handler);
}

/* ---- processes ---------------------------------------------------------------- */

/* The configuration is good, and nothing behind this can fail: the old nonces may be closed. */
static ngx_int_t
ngx_http_licet_init_module(ngx_cycle_t *cycle)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_licet_module);

    if (mcf == NULL) {
        return NGX_OK;
    }
    ngx_http_licet_check_workers(cycle);
    return ngx_http_licet_nonces_open(cycle, mcf);
}

static ngx_int_t
ngx_http_licet_init_process(ngx_cycle_t *cycle)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_licet_module);
    ngx_http_licet_gate_t **gates;
    ngx_uint_t i;

    /* the cache manager and loader come here too, and serve nobody */
    if (mcf == NULL || (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)) {
        return NGX_OK;
    }
    gates = mcf->gates.elts;
    for (i = 0; i < mcf->gates.nelts; i++) {
        ngx_http_licet_gate_start(gates[i], cycle->log);
    }
    return NGX_OK;
}

static void
ngx_http_licet_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_licet_main_conf_t *mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_licet_module);
    ngx_http_licet_gate_t **gates;
    ngx_uint_t i;

    if (mcf == NULL) {
        return;
    }
    gates = mcf->gates.elts;
    for (i = 0; i < mcf->gates.nelts; i++) {
        ngx_http_licet_gate_stop(gates[i]);
    }
}

static ngx_http_module_t ngx_http_licet_module_ctx = {
    ngx_http_licet_add_variables,    /* preconfiguration */
    ngx_http_licet_init,             /* postconfiguration */
    ngx_http_licet_create_main_conf, /* create main configuration */
    NULL,                            /* init main configuration */
    NULL,                            /* create server configuration */
    NULL,                            /* merge server configuration */
    ngx_http_licet_create_loc_conf,  /* create location configuration */
    ngx_http_licet_merge_loc_conf,   /* merge location configuration */
};

ngx_module_t ngx_http_licet_module = {
    NGX_MODULE_V1,
    &ngx_http_licet_module_ctx,  /* module context */
    ngx_http_licet_commands,     /* module directives */
    NGX_HTTP_MODULE,             /* module type */
    NULL,                        /* init master */
    ngx_http_licet_init_module,  /* init module */
    ngx_http_licet_init_process, /* init process */
    NULL,                        /* init thread */
    NULL,                        /* exit thread */
    ngx_http_licet_exit_process, /* exit process */
    NULL,                        /* exit master */
    NGX_MODULE_V1_PADDING,
};
