/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Examples of the versions of an agreement, in their order, as decide/ tries them.
 */
#include "terms.h"

size_t
licet_site_examples(const licet_site *site, size_t i)
{
    const licet_terms_agreement *agreement = &site->agreements[i];
    size_t len = 0;

    for (uint32_t v = 0; v < agreement->versions_len; v++) {
        len += agreement->versions[v].examples.len;
    }
    return len;
}

licet_example
licet_site_example(const licet_site *site, size_t i, size_t j)
{
    const licet_terms_version *version = site->agreements[i].versions;
    const licet_terms_example *example;

    while (j >= version->examples.len) {
        j -= version->examples.len;
        version++;
    }
    example = LICET_TERMS_ROW(licet_terms_example, version->examples, j);
    return (licet_example){.file = version->file.path,
                           .version = version->id.text,
                           .line = example->key.line,
                           .column = example->key.column,
                           .number = (unsigned)j + 1,
                           .app = example->app.text,
                           .request = example->request.text,
                           .use_case = example->use_case.text,
                           .purpose = example->purpose.text,
                           .recipient = example->recipient.text,
                           .clause = example->clause.text,
                           .flow = (uint32_t)example->flow.value,
                           .expect = (uint32_t)example->expect.value,
                           .at_ms = example->at.value};
}
