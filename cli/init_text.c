/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a new site. What the operator gave goes in quoted where YAML could read it otherwise; licet init loads
 * the site it wrote before it says that all is well.
 */
#include "init_text.h"

#include <string.h>

/* A double-quoted scalar where the text could be anything but itself. */
static void
put_scalar(licet_buffer *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/$-[]";

    if (text[0] != '\0' && strspn(text, plain) == strlen(text) && strchr("[]:-", text[0]) == NULL) {
        licet_put_format(out, "%s", text);
        return;
    }
    licet_put_u8(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            licet_put_format(out, "\\%c", *c);
        } else if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            licet_put_format(out, "\\x%02x", (unsigned)*c);
        } else {
            licet_put_u8(out, (uint8_t)*c);
        }
    }
    licet_put_u8(out, '"');
}

void
licet_init_config(const licet_init *init, licet_buffer *out)
{
    licet_put_format(out,
                     "# licet.yaml: who we are and where the gate stands. Judged by: licet check\n"
                     "\n"
                     "site: %-26s# names this site's key and ledgers; never change it\n"
                     "party: %-25s# which side we are: licensor (the platform) | licensee\n"
                     "gate: 1                         # number of this gate, unique in the site\n"
                     "flow: acquired                  # acquired: before the platform's API; passed-on: before the "
                     "licensee's own\n"
                     "\n"
                     "# Where allowed requests go: scheme, host and port, no path.\n"
                     "upstream: ",
                     init->site, init->party);
    put_scalar(out, init->upstream);
    licet_put_format(out, "\n"
                          "\n"
                          "# Where licet up listens. Clients ask here instead of the upstream.\n"
                          "listen: 127.0.0.1:8640\n"
                          "\n");
    if (init->identity != NULL) {
        licet_put_format(out, "# Who asks is told by what stands in front, in this nginx variable: the name of an app, "
                              "or agreement/app.\n"
                              "identity: ");
        put_scalar(out, init->identity);
        licet_put_format(out, "\n");
    } else {
        licet_put_format(out, "# Who asks shows a credential (licet credential new). If something in front knows it "
                              "already, name its\n"
                              "# nginx variable; it holds the name of an app, or agreement/app.\n"
                              "# identity: $http_x_consumer_id\n");
    }
    licet_put_format(out,
                     "\n"
                     "key: data/key                   # signs the checkpoints of the ledger\n"
                     "shared_memory: /dev/shm/licet-%s\n",
                     init->site);
}

static void
put_starter(const licet_init *init, licet_buffer *out)
{
    licet_put_format(
        out,
        "# Catalogue %s: the endpoints of the API and what counts in each response.\n"
        "# Nothing is listed yet: every request is passed on, recorded, and booked as unmetered.\n"
        "\n"
        "units:                    # what responses can bring; request and byte are counted without being named here\n"
        "  item: {}\n"
        "\n"
        "unlisted: record          # an endpoint that is not below: passed on and booked as unmetered; or: refuse\n"
        "\n"
        "endpoints: []\n"
        "\n"
        "# An endpoint looks like this; take the [] above and the '# ' below away, and put in your own. licet count\n"
        "# --suggest FILE proposes paths for a response that you saved.\n"
        "#\n"
        "#  - id: items                    # a short name, for limits and reports\n"
        "#    match: GET /v1/items         # method and path; {name} stands for one segment; the query is ignored\n"
        "#    count: { item: \"$.data\" }    # where the units are: an array counts its elements, an object counts "
        "one\n"
        "#    ids: { item: \"$.data.id\" }   # where their ids are; count and ids must agree\n"
        "#    page: { item: { query: limit, default: 20, most: 100 } }   # the most that can come with one request\n",
        init->catalogue_name);
}

void
licet_init_catalogue(const licet_init *init, licet_buffer *out)
{
    if (init->catalogue != NULL) {
        licet_put_bytes(out, licet_bytes_of(init->catalogue->text, init->catalogue->len));
    } else {
        put_starter(init, out);
    }
}

void
licet_init_agreement(const licet_init *init, licet_buffer *out)
{
    const char *unit = init->catalogue != NULL ? init->catalogue->unit : "request";

    licet_put_format(
        out,
        "# Agreement %s, the version in force from %s: what licensor and licensee signed, as data.\n"
        "# Both sides keep the same file. A later version is another file beside this one, named by its first day.\n"
        "# Companies, sections and figures are placeholders: put in yours. Judged by: licet check\n"
        "\n"
        "agreement: %s\n"
        "in_force: { from: %s, then: refuse }       # before: its end, if it has one; then: refuse | continue\n"
        "\n"
        "parties:\n"
        "  licensor: { legal_name: Example Platform Inc., country: US }    # grants the licence\n"
        "  licensee: { legal_name: Example Licensee Ltd, country: US }     # may use the content\n"
        "\n"
        "catalogue: %s               # what counts in a response: the file of that name in catalogue/\n"
        "\n"
        "# Clauses: a short key for each obligation, its section in the paper, and the sentence a refused caller "
        "reads.\n"
        "clauses:\n"
        "  CAP-MONTH: { section: Order form 1, says: Two million %ss a month over all apps }\n"
        "  NO-TRAIN:  { section: Terms 2.1, says: No training of foundation models }\n"
        "\n"
        "# Purposes a request may have. Neither allowed nor forbidden: not_named. None at all: not_declared.\n"
        "purposes:\n"
        "  allowed: [display, search]\n"
        "  forbidden: { train-ai: NO-TRAIN }\n"
        "  not_named: record                           # record | refuse\n"
        "  not_declared: record                        # record | refuse\n"
        "\n"
        "# Limits: at most so many units in each window. unit: request, byte, or a unit of the catalogue;\n"
        "# per: second, minute, hour, day, month, or a span such as 15m; over: licensee | app.\n"
        "limits:\n"
        "  - { clause: CAP-MONTH, unit: %s, most: 2_000_000, per: month, over: licensee }\n"
        "\n"
        "# When licetd cannot record: refuse | open | allow so many until it can again.\n"
        "cannot_record: { allow: 10_000 %ss, per: outage }\n"
        "on_overrun: deliver                           # a page larger than its reservation: deliver | cut\n"
        "\n"
        "# observe: everything is decided and recorded, nothing is refused. enforce: refusals are real.\n"
        "mode: observe\n",
        init->agreement, init->day, init->agreement, init->day, init->catalogue_name, unit, unit, unit);
}

void
licet_init_apps(const licet_init *init, licet_buffer *out)
{
    licet_put_format(
        out,
        "# apps.yaml: the licensee's apps under agreement %s, what they show, and what they are used for.\n"
        "\n"
        "apps:\n"
        "  %s:                        # the app's name in reports\n"
        "    products: [Product 1]       # the products it feeds\n"
        "    environment: prod           # prod | staging | dev\n"
        "    default_use_case: %s      # of requests that name none in Licet-Use-Case\n"
        "    credentials: []             # licet credential new adds them; only a keyed hash is kept\n"
        "\n"
        "# Use cases: which product, for which purpose, who gets the content in the end, and who approved it from "
        "when.\n"
        "use_cases:\n"
        "  %s:\n"
        "    product: Product 1\n"
        "    purpose: display\n"
        "    recipient: public\n"
        "    approved: { by: A. Person, role: licensing, from: %s }\n",
        init->agreement, LICET_INIT_APP, LICET_INIT_USE_CASE, LICET_INIT_USE_CASE, init->day);
}
