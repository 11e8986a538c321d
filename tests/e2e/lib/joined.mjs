// SPDX-License-Identifier: Apache-2.0
// The licensee's book against the platform's, line by line: each receipt of the gate at the egress names what the platform's
// own gate called the same response.
import assert from 'node:assert/strict';

/** Both sites synced; returns the pairs. ours, theirs: receipts() of the licensee and of the platform. */
export function joined(ours, theirs, { unit = 'post' } = {}) {
  const byDecision = new Map(theirs.map((receipt) => [receipt.decision, receipt]));
  const pairs = [];
  for (const receipt of ours) {
    if (receipt.verdict === 'refuse') {
      assert.equal(receipt.peer, undefined, 'what was refused here never went up');
      continue;
    }
    assert.match(receipt.peer ?? '', /^[0-9a-f]{32}$/, `no peer: ${JSON.stringify(receipt)}`);
    const other = byDecision.get(receipt.peer);
    assert(other, `the platform has no decision ${receipt.peer}`);
    byDecision.delete(receipt.peer);
    assert.equal(receipt.units?.[unit] ?? 0, other.units?.[unit] ?? 0, `${JSON.stringify(receipt)}\n${JSON.stringify(other)}`);
    assert.equal(receipt.status, other.status);
    pairs.push([receipt, other]);
  }
  assert.deepEqual([...byDecision.values()], [], 'nothing in the platform\'s book that is not in ours');
  return pairs;
}
