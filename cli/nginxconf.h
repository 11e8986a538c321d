/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nginx configuration that `licet up` runs a site with; also what the
 * how-to tells an operator to put into his own.
 */
#ifndef LICET_NGINXCONF_H
#define LICET_NGINXCONF_H

#include "licet/agreement.h"
#include "licet/base.h"

/* Writes the whole configuration for the site into out. folder: absolute path of data/nginx; data: absolute path of
 * data/; module: path of ngx_http_licet_module.so; user: whom the workers run as, or NULL when not started by root;
 * workers: how many. INVALID when a value of the site cannot stand in an nginx configuration. */
bool licet_nginx_conf(const licet_site_config *config, const char *folder, const char *data, const char *module,
                      const char *user, unsigned workers, licet_buffer *out, licet_error *err);

#endif
