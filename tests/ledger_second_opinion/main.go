// SPDX-License-Identifier: Apache-2.0

// A second opinion on a ledger, by the libraries of the Go checksum database:
// golang.org/x/mod/sumdb/note and tlog. It shares no code with licet.
//
//	main FOLDER		the folder that export wrote
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var dir string

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(filepath.Join(dir, path))
	must(err, path)
	return data
}

// The checksum database writes tile/8/<L>/<N>; a C2SP log writes tile/<L>/<N>.
type files struct{}

func (files) Height() int                     { return 8 }
func (files) SaveTiles([]tlog.Tile, [][]byte) {}
func (files) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		b, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

// A checkpoint: note, origin, size and root.
func checkpoint(size int64, verifier note.Verifier, signer note.Signer) tlog.Tree {
	name := fmt.Sprintf("checkpoint-%d", size)
	msg := read(name)
	n, err := note.Open(msg, note.VerifierList(verifier))
	must(err, name)
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[1] != strconv.FormatInt(size, 10) {
		must(fmt.Errorf("unexpected text %q", n.Text), name)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, name)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	// Ed25519 signatures are deterministic: signing again gives the same bytes.
	again, err := note.Sign(&note.Note{Text: n.Text}, signer)
	must(err, name)
	if !bytes.Equal(again, msg) {
		must(fmt.Errorf("signed again it differs"), name)
	}
	changed := bytes.Replace(msg, []byte("\n"+lines[1]+"\n"), []byte("\n"+lines[1]+"0\n"), 1)
	if _, err := note.Open(changed, note.VerifierList(verifier)); err == nil {
		must(fmt.Errorf("a changed size was accepted"), name)
	}
	return tree
}

// Every entry of every bundle against the leaf hashes of tiles that the root proves.
func entries(tree tlog.Tree) int64 {
	reader := tlog.TileHashReader(tree, files{})
	var done int64
	for n := int64(0); done < tree.N; n++ {
		width := tree.N - done
		if width > 256 {
			width = 256
		}
		t := tlog.Tile{H: 8, L: -1, N: n, W: int(width)}
		path := strings.Replace(t.Path(), "tile/8/data/", "tile/entries/", 1)
		bundle := read(path)
		var indexes []int64
		var want []tlog.Hash
		for i := int64(0); i < width; i++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				must(fmt.Errorf("entry %d is cut", done+i), path)
			}
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			indexes = append(indexes, tlog.StoredHashIndex(0, done+i))
			want = append(want, tlog.RecordHash(bundle[2:length]))
			bundle = bundle[length:]
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("%d bytes behind its last entry", len(bundle)), path)
		}
		have, err := reader.ReadHashes(indexes)
		must(err, path)
		for i := range want {
			if have[i] != want[i] {
				must(fmt.Errorf("entry %d does not fit its hash", done+int64(i)), path)
			}
		}
		done += width
	}
	return done
}

// Our proofs must be those that Go makes from the tiles, and Go must accept them.
func proofs(trees map[int64]tlog.Tree) (count int) {
	for _, line := range strings.Split(strings.TrimSpace(string(read("proofs"))), "\n") {
		fields := strings.Fields(line)
		a, err := strconv.ParseInt(fields[1], 10, 64)
		must(err, line)
		b, err := strconv.ParseInt(fields[2], 10, 64)
		must(err, line)
		var ours []tlog.Hash
		for _, f := range fields[3:] {
			raw, err := hex.DecodeString(f)
			must(err, line)
			var h tlog.Hash
			copy(h[:], raw)
			ours = append(ours, h)
		}
		reader := tlog.TileHashReader(trees[b], files{})
		var theirs []tlog.Hash
		if fields[0] == "inclusion" {
			p, err := tlog.ProveRecord(b, a, reader)
			must(err, line)
			theirs = p
			leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, a)})
			must(err, line)
			must(tlog.CheckRecord(ours, b, trees[b].Hash, a, leaf[0]), line)
		} else {
			p, err := tlog.ProveTree(b, a, reader)
			must(err, line)
			theirs = p
			must(tlog.CheckTree(ours, b, trees[b].Hash, a, trees[a].Hash), line)
		}
		if len(ours) != len(theirs) {
			must(fmt.Errorf("%d hashes, Go has %d", len(ours), len(theirs)), line)
		}
		for i := range ours {
			if ours[i] != theirs[i] {
				must(fmt.Errorf("hash %d differs", i), line)
			}
		}
		count++
	}
	return count
}

func main() {
	dir = os.Args[1]
	verifier, err := note.NewVerifier(string(read("verifier")))
	must(err, "verifier")
	signer, err := note.NewSigner(string(read("signer")))
	must(err, "signer")
	if signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() {
		must(fmt.Errorf("two keys"), "signer")
	}
	trees := map[int64]tlog.Tree{}
	var count int64
	for _, size := range []int64{1, 2, 3, 255, 256, 257, 1000, 65536, 70001} {
		trees[size] = checkpoint(size, verifier, signer)
		count += entries(trees[size])
	}
	fmt.Printf("%d checkpoints, %d entries, %d proofs accepted\n", len(trees), count, proofs(trees))
}
