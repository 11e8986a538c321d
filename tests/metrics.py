#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges pages of metrics by Prometheus' own parser: metrics.py TEXT OPENMETRICS JSON [EARLIER-TEXT]

The three formats say the same; the list of docs/format/metrics.md is what is served, with types and labels; the rules of
docs/alerts.yml name nothing else; no counter is below what it was in EARLIER-TEXT.
"""
import json, re, sys, yaml
from pathlib import Path
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

root = Path(__file__).resolve().parent.parent
faults = []
read = lambda name: Path(name).read_text()
families = lambda parsed: {f.name: f for f in parsed}
samples = lambda fs: {(s.name, tuple(sorted(s.labels.items()))): s.value for f in fs.values() for s in f.samples}

text = families(parse_text(read(sys.argv[1])))
opened = families(parse_open(read(sys.argv[2])))
told = samples(text)
document = json.loads(read(sys.argv[3]))
in_json = {(s['name'], tuple(sorted(s['labels'].items()))) for m in document['metrics'] for s in m['samples']}
if set(told) != set(samples(opened)) or set(told) != in_json:
    faults.append(f'the formats differ: {sorted(set(told) ^ set(samples(opened)) | set(told) ^ in_json)[:5]}')

rows = {}
for line in read(root / 'docs/format/metrics.md').splitlines():
    cells = [c.strip() for c in line.strip('|').split('|')]
    name = re.fullmatch(r'`([a-z_]+)`', cells[0])
    if name and len(cells) == 5:
        rows[name[1]] = (cells[1].split()[0], set(re.findall(r'`([a-z]+)`', cells[2])))
listed = {name.removesuffix('_total') if kind == 'counter' else name: (name, kind, labels) for name, (kind, labels) in rows.items()}
if set(listed) != set(text):
    faults.append(f'docs/format/metrics.md and the page differ: {sorted(set(listed) ^ set(text))}')
for name, family in text.items():
    if name in listed and listed[name][1] != family.type:
        faults.append(f'{name}: {family.type}, the list says {listed[name][1]}')
    if not family.documentation.endswith(('.', ':')) or len(family.documentation) > 160:
        faults.append(f'{name}: help line "{family.documentation}"')
    for sample in family.samples:
        if name in listed and set(sample.labels) - listed[name][2]:
            faults.append(f'{name}: labels {sorted(sample.labels)}, the list says {sorted(listed[name][2])}')
        if sample.value < 0:
            faults.append(f'{sample.name}: {sample.value}')
rules = [rule for group in yaml.safe_load(read(root / 'docs/alerts.yml'))['groups'] for rule in group['rules']]
if len(rules) < 10 or any(set(rule) - {'alert', 'expr', 'for', 'labels', 'annotations'} for rule in rules):
    faults.append('docs/alerts.yml: rules that are none')
for name in set(re.findall(r'\b(?:licet|process)_[a-z_]+', ' '.join(rule['expr'] for rule in rules))):
    if not any(s == name for s, _ in told) and name not in rows:
        faults.append(f'docs/alerts.yml: {name} is not served')
if 'licet_unmetered_responses_total' not in rows or sum(1 for s, _ in told if s == 'licet_unmetered_responses_total') < 10:
    faults.append('the number of blindness is not there for every reason')
if re.search(r'Bearer|lct_|PRIVATE|hmac', read(sys.argv[1])):
    faults.append('something secret')
if len(sys.argv) > 4:
    before = families(parse_text(read(sys.argv[4])))
    for key, value in samples({n: f for n, f in before.items() if f.type in ('counter', 'histogram')}).items():
        if told.get(key, -1) < value:
            faults.append(f'{key} fell from {value} to {told.get(key)}')
for fault in faults:
    print(f'FAILED: {fault}')
print(f'{len(text)} metrics, {len(told)} series, {len(rows)} in the list')
sys.exit(1 if faults else 0)
