/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Index: who shows which credential, over all agreements; built from opened images, opened from any bytes.
 *
 *  (1) Credentials, apps and images are sorted and without equals; every cell named has an image.
 *  (2) An app stands under 'agreement/app' always, and under 'app' where only one agreement has it.
 */
#include "blob.h"
#include "names.h"

#include "licet/agreement.h"

#include <assert.h>
#include <stdlib.h>

#define WRONG(err, ...) LICET_FAIL((err), LICET_E_CORRUPT, 0, "index: " __VA_ARGS__)

/* No row may have padding, see compile.c. */
#define N sizeof(uint32_t)
#define L sizeof(uint64_t)
#define H sizeof(licet_hash)
static_assert(sizeof(licet_index_credential) == H + 2 * N, "padding");
static_assert(sizeof(licet_index_app) == sizeof(licet_text) + 2 * N, "padding");
static_assert(sizeof(licet_index_image) == L + 2 * N, "padding");
static_assert(sizeof(licet_index_header) == L + 2 * N + 2 * L + H + 8 * N, "padding");
#undef N
#undef L
#undef H

#define INDEX_NAME_MAX (2 * LICET_NAME_MAX + 1)

/* ---- open ------------------------------------------------------------------------ */

static const licet_index_image *
image_of(const licet_index *index, uint32_t cell)
{
    uint32_t low = 0, high = index->header->images_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->images[middle].cell < cell) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < index->header->images_len && index->images[low].cell == cell ? &index->images[low] : NULL;
}

static bool
check_rows(const licet_index *index, licet_error *err)
{
    const licet_index_header *header = index->header;

    for (uint32_t i = 0; i < header->images_len; i++) {
        const licet_index_image *image = &index->images[i];
        if (image->cell == 0 || image->number == 0 || (i > 0 && image[-1].cell >= image->cell)) {
            return WRONG(err, "image %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->credentials_len; i++) {
        const licet_index_credential *credential = &index->credentials[i];
        if (image_of(index, credential->cell) == NULL ||
            (i > 0 && memcmp(credential[-1].hmac, credential->hmac, sizeof(credential->hmac)) >= 0)) {
            return WRONG(err, "credential %u cannot be", i);
        }
    }
    for (uint32_t i = 0; i < header->apps_len; i++) {
        const licet_index_app *app = &index->apps[i];
        if (app->name.len == 0 || !licet_blob_text(app->name, header->strings_len, INDEX_NAME_MAX) ||
            image_of(index, app->cell) == NULL ||
            (i > 0 && licet_blob_order(index->strings, app[-1].name, app->name) >= 0)) {
            return WRONG(err, "app %u cannot be", i);
        }
    }
    return true;
}

bool
licet_index_open(licet_bytes blob, licet_index *out_index, licet_error *err)
{
    const licet_index_header *header = (const licet_index_header *)(const void *)blob.data;
    licet_index index = {.header = header};
    licet_bytes body;
    licet_hash hash;

    if (blob.len < sizeof(*header) || (uintptr_t)blob.data % 8 != 0 ||
        memcmp(header->magic, LICET_INDEX_MAGIC, sizeof(header->magic)) != 0) {
        return WRONG(err, "it does not begin with " LICET_INDEX_MAGIC " and a header");
    }
    if (header->format != LICET_IMAGE_FORMAT) {
        return WRONG(err, "format %u: expected %u", header->format, LICET_IMAGE_FORMAT);
    }
    if (header->size != blob.len || blob.len > UINT32_MAX) {
        return WRONG(err, "%zu bytes: its header says %llu", blob.len, (unsigned long long)header->size);
    }
    body = licet_bytes_of(blob.data + sizeof(*header), blob.len - sizeof(*header));
    hash = licet_sha256(&body, 1);
    if (memcmp(hash.bytes, header->sha256, sizeof(header->sha256)) != 0) {
        return WRONG(err, "its content does not have the SHA-256 its header says");
    }
#define CHECK_TABLE(name, type)                                                                                        \
    if (!licet_blob_table(header->name##_at, header->name##_len, sizeof(type), sizeof(*header), blob.len)) {           \
        return WRONG(err, "table " #name " lies outside");                                                             \
    }                                                                                                                  \
    index.name = (const type *)(const void *)(blob.data + header->name##_at);
    CHECK_TABLE(credentials, licet_index_credential)
    CHECK_TABLE(apps, licet_index_app)
    CHECK_TABLE(images, licet_index_image)
    CHECK_TABLE(strings, uint8_t)
#undef CHECK_TABLE
    if (!check_rows(&index, err)) {
        return false;
    }
    *out_index = index;
    return true;
}

/* ---- find ------------------------------------------------------------------------- */

const licet_index_credential *
licet_index_by_hmac(const licet_index *index, const uint8_t hmac[32])
{
    uint32_t low = 0, high = index->header->credentials_len;

    while (low <
           high) { /* which keyed hash is nearest tells nothing of the secret; the equality itself is constant time */
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(index->credentials[middle].hmac, hmac, 32) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == index->header->credentials_len ||
        !licet_bytes_equal_secret(licet_bytes_of(index->credentials[low].hmac, 32), licet_bytes_of(hmac, 32))) {
        return NULL;
    }
    return &index->credentials[low];
}

const licet_index_app *
licet_index_by_app(const licet_index *index, licet_bytes name)
{
    uint32_t low = 0, high = index->header->apps_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        licet_text text = index->apps[middle].name;
        int order = licet_bytes_order(licet_bytes_of(index->strings + text.offset, text.len), name);
        if (order == 0) {
            return &index->apps[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- build -------------------------------------------------------------------------- */

/* An app under one of its names, while sorting. */
typedef struct named {
    char name[INDEX_NAME_MAX + 1];
    uint32_t len, cell, app;
} named;

typedef struct builder {
    licet_index_credential *credentials;
    licet_index_image *images;
    named *apps;
    size_t credentials_len, images_len, apps_len;
} builder;

static int
compare_credentials(const void *left, const void *right)
{
    return memcmp(((const licet_index_credential *)left)->hmac, ((const licet_index_credential *)right)->hmac, 32);
}

static int
compare_images(const void *left, const void *right)
{
    const licet_index_image *a = left, *b = right;

    return (a->cell > b->cell) - (a->cell < b->cell);
}

static int
compare_named(const void *left, const void *right)
{
    const named *a = left, *b = right;

    return licet_bytes_order(licet_bytes_of(a->name, a->len), licet_bytes_of(b->name, b->len));
}

static void
add_named(builder *b, const licet_image *image, uint32_t app, bool with_agreement)
{
    named *row = &b->apps[b->apps_len++];
    licet_bytes agreement = licet_image_text(image, image->header->agreement);
    licet_bytes id = licet_image_text(image, image->apps[app].id);

    row->cell = image->header->cell;
    row->app = app;
    if (with_agreement) {
        memcpy(row->name, agreement.data, agreement.len);
        row->name[agreement.len] = '/';
        row->len = (uint32_t)agreement.len + 1;
    }
    memcpy(row->name + row->len, id.data, id.len);
    row->len += (uint32_t)id.len;
}

static void
add_image(builder *b, const licet_image *image)
{
    const licet_image_header *header = image->header;

    b->images[b->images_len++] = (licet_index_image){.number = header->number, .cell = header->cell};
    for (uint32_t i = 0; i < header->credentials_len; i++) {
        licet_index_credential *row = &b->credentials[b->credentials_len++];
        memcpy(row->hmac, image->credentials[i].hmac, sizeof(row->hmac));
        row->cell = header->cell;
        row->credential = i;
    }
    for (uint32_t i = 0; i < header->apps_len; i++) {
        add_named(b, image, i, true);
        add_named(b, image, i, false);
    }
}

/* Names that more than one agreement has are dropped: they name nobody. */
static void
drop_ambiguous(builder *b)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->apps_len; i++) {
        bool before = i > 0 && compare_named(&b->apps[i - 1], &b->apps[i]) == 0;
        bool behind = i + 1 < b->apps_len && compare_named(&b->apps[i], &b->apps[i + 1]) == 0;
        if (before || behind) {
            continue;
        }
        b->apps[kept++] = b->apps[i];
    }
    b->apps_len = kept;
}

static bool
check_unique(const builder *b, licet_error *err)
{
    for (size_t i = 1; i < b->credentials_len; i++) {
        if (compare_credentials(&b->credentials[i - 1], &b->credentials[i]) == 0) {
            return LICET_FAIL(err, LICET_E_CONFLICT, 0, "agreements in cells %u and %u have the same credential",
                              b->credentials[i - 1].cell, b->credentials[i].cell);
        }
    }
    for (size_t i = 1; i < b->images_len; i++) {
        if (b->images[i - 1].cell == b->images[i].cell) {
            return LICET_FAIL(err, LICET_E_CONFLICT, 0, "cell %u has two images", b->images[i].cell);
        }
    }
    return true;
}

static bool
put_table(licet_buffer *out, const void *rows, size_t len, size_t size, uint32_t *out_at, uint32_t *out_len)
{
    static const uint8_t zeros[8] = {0};

    licet_put_bytes(out, licet_bytes_of(zeros, (8 - out->len % 8) % 8));
    *out_at = (uint32_t)out->len;
    *out_len = (uint32_t)len;
    return licet_put_bytes(out, licet_bytes_of(rows, len * size));
}

static bool
write_index(const builder *b, uint64_t generation, licet_buffer *out, licet_error *err)
{
    licet_index_header header = {.format = LICET_IMAGE_FORMAT, .generation = generation};
    size_t start = out->len, strings = 0;
    bool good = false;
    licet_index_app *apps = calloc(b->apps_len + 1, sizeof(*apps));
    licet_bytes body;
    licet_hash hash;

    if (apps == NULL) {
        goto done;
    }
    memcpy(header.magic, LICET_INDEX_MAGIC, sizeof(header.magic));
    licet_put_bytes(out, licet_bytes_of(&header, sizeof(header)));
    for (size_t i = 0; i < b->apps_len; i++) {
        apps[i].name = (licet_text){(uint32_t)strings, b->apps[i].len};
        apps[i].cell = b->apps[i].cell;
        apps[i].app = b->apps[i].app;
        strings += b->apps[i].len;
    }
    put_table(out, b->credentials, b->credentials_len, sizeof(*b->credentials), &header.credentials_at,
              &header.credentials_len);
    put_table(out, apps, b->apps_len, sizeof(*apps), &header.apps_at, &header.apps_len);
    put_table(out, b->images, b->images_len, sizeof(*b->images), &header.images_at, &header.images_len);
    put_table(out, NULL, 0, 1, &header.strings_at, &header.strings_len);
    header.strings_len = (uint32_t)strings;
    for (size_t i = 0; i < b->apps_len; i++) {
        licet_put_bytes(out, licet_bytes_of(b->apps[i].name, b->apps[i].len));
    }
    if (out->failed) {
        goto done;
    }
    header.size = out->len - start;
    body = licet_bytes_of(out->data + start + sizeof(header), out->len - start - sizeof(header));
    hash = licet_sha256(&body, 1);
    memcpy(header.sha256, hash.bytes, sizeof(header.sha256));
    memcpy(out->data + start, &header, sizeof(header));
    good = true;
done:
    free(apps);
    return good || LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the index of %zu images", b->images_len);
}

bool
licet_index_build(const licet_image *images, size_t n, uint64_t generation, licet_buffer *out, licet_error *err)
{
    size_t credentials = 0, apps = 0;
    builder b = {.credentials = NULL};
    bool good = false;

    for (size_t i = 0; i < n; i++) {
        credentials += images[i].header->credentials_len;
        apps += 2 * (size_t)images[i].header->apps_len;
    }
    b.credentials = calloc(credentials + 1, sizeof(*b.credentials));
    b.images = calloc(n + 1, sizeof(*b.images));
    b.apps = calloc(apps + 1, sizeof(*b.apps));
    if (b.credentials == NULL || b.images == NULL || b.apps == NULL) {
        LICET_FAIL(err, LICET_E_MEMORY, 0, "no memory for the index of %zu images", n);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        add_image(&b, &images[i]);
    }
    qsort(b.credentials, b.credentials_len, sizeof(*b.credentials), compare_credentials);
    qsort(b.images, b.images_len, sizeof(*b.images), compare_images);
    qsort(b.apps, b.apps_len, sizeof(*b.apps), compare_named);
    drop_ambiguous(&b);
    good = check_unique(&b, err) && write_index(&b, generation, out, err);
done:
    free(b.credentials);
    free(b.images);
    free(b.apps);
    return good;
}
