/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exposition: see exposition.h. The text format is Prometheus' 0.0.4, the
 * other OpenMetrics 1.0; JSON is our own and says the same.
 */
#include "exposition.h"

#include <stdarg.h>
#include <string.h>

static const char *const type_names[] = {"counter", "gauge", "info", "histogram"};

static void
put_text(exposition *e, const char *text)
{
    licet_put_bytes(e->out, licet_bytes_of_text(text));
}

/* Inside of quotes. All three formats escape alike what may stand here: a control byte or one that is not ASCII, which
 * only a damaged file could bring, is shown as '?'. */
static void
put_escaped(exposition *e, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            licet_put_u8(e->out, '\\');
        }
        licet_put_u8(e->out, *c < ' ' || *c > '~' ? '?' : (uint8_t)*c);
    }
}

static void
put_value(exposition *e, uint64_t value, unsigned decimals)
{
    uint64_t unit = 1;

    for (unsigned i = 0; i < decimals; i++) {
        unit *= 10;
    }
    licet_put_format(e->out, "%llu", (unsigned long long)(value / unit));
    if (decimals > 0) {
        licet_put_format(e->out, ".%0*llu", (int)decimals, (unsigned long long)(value % unit));
    }
}

void
exposition_begin(exposition *e, licet_buffer *out, licet_metrics_format format)
{
    *e = (exposition){.out = out, .format = format};
    if (format == LICET_METRICS_JSON) {
        put_text(e, "{\"metrics\":[");
    }
}

void
exposition_end(exposition *e)
{
    if (e->format == LICET_METRICS_JSON) {
        put_text(e, e->any_family ? "]}]}\n" : "]}\n");
    } else if (e->format == LICET_METRICS_OPEN) {
        put_text(e, "# EOF\n");
    }
}

/* What follows the name in HELP and TYPE lines and in samples. */
static const char *
family_suffix(const exposition *e)
{
    if (e->type == EXPOSITION_COUNTER) {
        return e->format == LICET_METRICS_OPEN ? "" : "_total";
    }
    return e->type == EXPOSITION_INFO && e->format != LICET_METRICS_OPEN ? "_info" : "";
}

static const char *
sample_suffix(const exposition *e)
{
    return e->type == EXPOSITION_COUNTER ? "_total" : (e->type == EXPOSITION_INFO ? "_info" : "");
}

void
exposition_family(exposition *e, exposition_type type, const char *name, const char *help)
{
    const char *type_name;

    e->type = type;
    e->name = name;
    /* The text format knows no infos: they are gauges of 1. */
    type_name = type_names[type == EXPOSITION_INFO && e->format != LICET_METRICS_OPEN ? EXPOSITION_GAUGE : type];
    if (e->format == LICET_METRICS_JSON) {
        licet_put_format(e->out, "%s{\"name\":\"%s%s\",\"type\":\"%s\",\"help\":\"", e->any_family ? "]},\n" : "\n",
                         name, family_suffix(e), type_name);
        put_escaped(e, help);
        put_text(e, "\",\"samples\":[");
    } else {
        licet_put_format(e->out, "# HELP %s%s ", name, family_suffix(e));
        put_escaped(e, help);
        licet_put_format(e->out, "\n# TYPE %s%s %s\n", name, family_suffix(e), type_name);
    }
    e->any_family = true;
    e->any_sample = false;
}

static void
put_labels(exposition *e, va_list labels)
{
    bool json = e->format == LICET_METRICS_JSON, any = false;
    const char *name, *value;

    while ((name = va_arg(labels, const char *)) != NULL) {
        value = va_arg(labels, const char *);
        put_text(e, any ? "," : (json ? "" : "{"));
        licet_put_format(e->out, json ? "\"%s\":\"" : "%s=\"", name);
        put_escaped(e, value);
        licet_put_u8(e->out, '"');
        any = true;
    }
    put_text(e, !json && any ? "}" : "");
}

static void
put_sample(exposition *e, const char *suffix, uint64_t value, unsigned decimals, va_list labels)
{
    if (e->format == LICET_METRICS_JSON) {
        licet_put_format(e->out, "%s\n {\"name\":\"%s%s\",\"labels\":{", e->any_sample ? "," : "", e->name, suffix);
        put_labels(e, labels);
        put_text(e, "},\"value\":");
        put_value(e, value, decimals);
        put_text(e, "}");
    } else {
        licet_put_format(e->out, "%s%s", e->name, suffix);
        put_labels(e, labels);
        licet_put_u8(e->out, ' ');
        put_value(e, value, decimals);
        licet_put_u8(e->out, '\n');
    }
    e->any_sample = true;
}

void
exposition_put(exposition *e, uint64_t value, unsigned decimals, ...)
{
    va_list labels;

    va_start(labels, decimals);
    put_sample(e, sample_suffix(e), value, decimals, labels); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(labels);
}

void
exposition_put_part(exposition *e, const char *suffix, uint64_t value, unsigned decimals, ...)
{
    va_list labels;

    va_start(labels, decimals);
    put_sample(e, suffix, value, decimals, labels); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(labels);
}
