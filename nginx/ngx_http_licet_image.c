/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in a worker: mapped read-only when first needed, checked once, with
 * the scanning plans of their endpoints.
 *
 *  (1) An image is checked whole before anything of it is read; after that
 *      accessors need no checks.
 *  (2) It is shared by all views that name it and goes with the last of them.
 *  (3) A plan is made at the first request of its endpoint and lives with the image.
 */
#include "ngx_http_licet.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool
ngx_http_licet_map(const char *path, licet_bytes *out_blob, licet_error *err)
{
    struct stat st;
    void *at;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: %s", path, strerror(errno));
    }
    if (fstat(fd, &st) != 0 || st.st_size <= 0) {
        (void)close(fd);
        return LICET_FAIL(err, LICET_E_CORRUPT, 0, "%s: expected a file with something in it", path);
    }
    at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at == MAP_FAILED) {
        return LICET_FAIL(err, LICET_E_SYSTEM, 0, "%s: cannot be mapped: %s", path, strerror(errno));
    }
    *out_blob = licet_bytes_of(at, (size_t)st.st_size);
    return true;
}

void
ngx_http_licet_unmap(licet_bytes blob)
{
    union {
        const uint8_t *borrowed;
        void *mapped;
    } at = {blob.data};

    if (blob.data != NULL) {
        (void)munmap(at.mapped, blob.len);
    }
}

static ngx_http_licet_image_t *
ngx_http_licet_image_open(const char *path, ngx_log_t *log, licet_error *err)
{
    ngx_http_licet_image_t *image;

    image = ngx_calloc(sizeof(*image), log);
    if (image == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for %s", path);
        return NULL;
    }
    image->users = 1;
    if (!ngx_http_licet_map(path, &image->blob, err) || !licet_image_open(image->blob, &image->image, err)) {
        goto failed;
    }
    image->plans = ngx_calloc((image->image.header->endpoints_len + 1) * sizeof(ngx_http_licet_plan_t), log);
    if (image->plans == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the plans of %s", path);
        goto failed;
    }
    return image;

failed:

    ngx_http_licet_unmap(image->blob);
    ngx_free(image);
    return NULL;
}

void
ngx_http_licet_image_release(ngx_http_licet_image_t *image)
{
    uint32_t i;

    if (--image->users > 0) {
        return;
    }
    for (i = 0; i < image->image.header->endpoints_len; i++) {
        licet_plan_free(image->plans[i].plan);
    }
    ngx_free(image->plans);
    ngx_http_licet_tokens_done(image);
    ngx_http_licet_unmap(image->blob);
    ngx_free(image);
}

ngx_http_licet_image_t *
ngx_http_licet_image_of(ngx_http_licet_view_t *view, uint32_t cell, ngx_log_t *log)
{
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    char path[LICET_GATE_PATH_MAX + 40];
    const licet_index_image *rows = view->index.images;
    uint32_t low = 0, high = view->index.header->images_len, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (rows[middle].cell < cell) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == view->index.header->images_len || rows[low].cell != cell) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "licet: index %uL has no image for cell %uD", view->generation, cell);
        return NULL;
    }
    if (view->images[low] == NULL) {
        (void)ngx_snprintf((u_char *)path, sizeof(path), "%s/image-%uL%Z", licet_gate_images(view->area->gate),
                           rows[low].number);
        view->images[low] = ngx_http_licet_image_open(path, log, &err);
        if (view->images[low] == NULL) {
            ngx_log_error(NGX_LOG_ERR, log, 0, "licet: image %uL cannot be used: %s", rows[low].number, err.text);
        }
    }
    return view->images[low];
}

static bool
ngx_http_licet_plan_make(const licet_image *image, uint32_t endpoint, ngx_http_licet_plan_t *plan, licet_error *err)
{
    licet_plan_unit units[LICET_SCAN_UNITS_MAX];
    const licet_image_endpoint *e = &image->endpoints[endpoint];
    const licet_image_count *count;
    uint32_t i;

    if (e->counts.count > LICET_SCAN_UNITS_MAX) {
        return LICET_FAIL(err, LICET_E_LIMIT, 0, "%u counted units, at most %d can be counted in one body",
                          e->counts.count, LICET_SCAN_UNITS_MAX);
    }
    ngx_memzero(units, sizeof(units));
    for (i = 0; i < e->counts.count; i++) {
        count = &image->counts[e->counts.first + i];
        if (!licet_path_parse(licet_image_text(image, count->path), &units[i].count, err)) {
            return false;
        }
        units[i].has_ids = count->ids.len > 0;
        if (units[i].has_ids && !licet_path_parse(licet_image_text(image, count->ids), &units[i].ids, err)) {
            return false;
        }
        plan->kind[i] = count->kind;
    }
    plan->units = e->counts.count;
    return licet_plan_new(units, plan->units, &plan->plan, err);
}

const ngx_http_licet_plan_t *
ngx_http_licet_plan_of(ngx_http_licet_image_t *image, uint32_t endpoint, ngx_log_t *log)
{
    static const ngx_http_licet_plan_t nothing = {.plan = NULL};
    licet_error err = {LICET_E_NONE, NULL, 0, 0, ""};
    ngx_http_licet_plan_t *plan;
    licet_bytes agreement, id;

    if (endpoint == LICET_NONE) {
        return &nothing;
    }
    plan = &image->plans[endpoint];
    if (!plan->made) {
        plan->made = 1;
        if (image->image.endpoints[endpoint].counts.count > 0 &&
            !ngx_http_licet_plan_make(&image->image, endpoint, plan, &err)) {
            plan->bad = 1;
            agreement = licet_image_text(&image->image, image->image.header->agreement);
            id = licet_image_text(&image->image, image->image.endpoints[endpoint].id);
            ngx_log_error(NGX_LOG_ERR, log, 0, "licet: agreement %*s, endpoint %*s cannot be counted: %s",
                          agreement.len, agreement.data, id.len, id.data, err.text);
        }
    }
    return plan->bad ? NULL : plan;
}
