package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// An equality under utf8mb4_0900_ai_ci may route by a loose vindex when all texts that MySQL takes as equal have one
// key here. MySQL's weights (Unicode 9) and these (Unicode 6.2) do not fold the same characters, so this finds out
// where they differ. It asks MySQL for the weights of every character, and of every sequence that is a contraction
// here or decomposes a character, splits them into primary weights, and looks for a function from MySQL's weights to
// keys under which every probe's key is the one of its weights. Weights for which there is none are ambiguous: no
// text with a character that has one may route. Characters that are unknown to Unicode 6.2, but which MySQL folds
// with known ones, would make nearly all weights ambiguous; those are foreign instead: no text with one is stored.

const probesPerStatement = 4000

// known characters that are so rare that their weights, those of R and of the digits 2 and 3, shall not be ambiguous
// for their sake; they are foreign. U+20A8 is the rupee sign that MySQL folds with "Rs", the others are cuneiform.
var rare = []rune{0x20A8, 0x12456, 0x12457}

// writeProbes writes SQL that answers with lines of probe and weights, both in hex.
func writeProbes(out io.Writer) {
	probes := slices.Sorted(maps.Keys(probeKeys()))
	for part := range slices.Chunk(probes, probesPerStatement) {
		fmt.Fprint(out, "SELECT column_0, HEX(WEIGHT_STRING(CONVERT(UNHEX(column_0) USING utf8mb4) ",
			"COLLATE utf8mb4_0900_ai_ci)) FROM (VALUES ")
		for i, probe := range part {
			if i > 0 {
				fmt.Fprint(out, ",")
			}
			fmt.Fprintf(out, "ROW('%x')", probe)
		}
		fmt.Fprintln(out, ") AS probes;")
	}
}

// probeKeys returns the key of every probe.
func probeKeys() map[string]string {
	c := newCollator()
	root := collate.New(language.Und, collate.Loose)
	var buffer collate.Buffer
	keys := map[string]string{}
	add := func(text string) {
		buffer.Reset()
		keys[text] = string(root.KeyFromString(&buffer, text))
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		add(string(r))
		add(norm.NFD.String(string(r)))
		if d := norm.NFD.PropertiesString(string(r)).Decomposition(); d != nil {
			add(string(d))
		}
		if raw := c.lookup(r); raw >= minContract && raw < minExpand {
			_, list := c.contractions(raw)
			for _, contraction := range list {
				add(string(r) + string(contraction.suffix))
			}
		}
	}
	return keys
}

// splitWeights splits MySQL's weights: two bytes each, four for those that are made from the code point.
func splitWeights(weights string) []string {
	var split []string
	for len(weights) > 0 {
		size := min(2, len(weights))
		if weights[0] == 0xfb {
			size = min(4, len(weights))
		}
		split = append(split, weights[:size])
		weights = weights[size:]
	}
	return split
}

type coverage struct {
	c       *collator
	keys    map[string]string
	weights map[string][]string
	// the key that stands for a weight
	keyOf     map[string]string
	ambiguous map[string]bool
	foreign   map[rune]bool
}

// known tells the characters that the collation has entries for, or weights like its neighbours', as ideographs.
func (v *coverage) known(r rune) bool {
	key := v.keys[string(r)]
	return !slices.Contains(rare, r) && (v.c.lookup(r) != 0 || len(key) == 0 || key[0] < 0x85)
}

// writeCoverage reads what MySQL answered to the probes and writes the Rust tables.
func writeCoverage(in io.Reader, out io.Writer) {
	v := &coverage{
		c: newCollator(), keys: probeKeys(), weights: map[string][]string{},
		keyOf: map[string]string{}, ambiguous: map[string]bool{}, foreign: map[rune]bool{},
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		probe, weights, _ := strings.Cut(lines.Text(), "\t")
		v.weights[unhex(probe)] = splitWeights(unhex(weights))
	}
	if len(v.weights) != len(v.keys) {
		log.Fatalf("%d answers to %d probes", len(v.weights), len(v.keys))
	}
	v.single()
	v.several()
	var ambiguous, foreign []rune
	for r := rune(0); r <= utf8.MaxRune; r++ {
		switch {
		case v.foreign[r]:
			foreign = append(foreign, r)
		case slices.ContainsFunc(v.weights[string(r)], func(w string) bool { return v.ambiguous[w] }):
			ambiguous = append(ambiguous, r)
		}
	}
	fmt.Fprintln(out, "//! How MySQL's utf8mb4_0900_ai_ci and the keys differ. Written by tools/weights; see coverage.go there.")
	writeRanges(out, "AMBIGUOUS", "Characters that MySQL folds with others that have different keys.", ambiguous)
	writeRanges(out, "FOREIGN", "Characters unknown to Unicode 6.2 that MySQL folds with known ones or ignores.", foreign)
}

func unhex(text string) string {
	decoded, err := hex.DecodeString(text)
	if err != nil {
		log.Fatal(err)
	}
	return string(decoded)
}

// single settles the weights that are the only one of a character.
func (v *coverage) single() {
	users := map[string][]rune{}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		weights := v.weights[string(r)]
		switch {
		case len(weights) == 1:
			users[weights[0]] = append(users[weights[0]], r)
		case utf8.ValidRune(r) && len(weights) == 0 && v.keys[string(r)] != "":
			// MySQL ignores it and the keys do not: any text could contain it.
			v.foreign[r] = true
		}
	}
	for weight, runes := range users {
		all, known := map[string]bool{}, map[string]bool{}
		for _, r := range runes {
			all[v.keys[string(r)]] = true
			if v.known(r) {
				known[v.keys[string(r)]] = true
			}
		}
		switch {
		case len(all) == 1:
			v.keyOf[weight] = v.keys[string(runes[0])]
		case len(known) == 1:
			for key := range known {
				v.keyOf[weight] = key
			}
			for _, r := range runes {
				if v.keys[string(r)] != v.keyOf[weight] {
					v.foreign[r] = true
				}
			}
		default:
			v.ambiguous[weight] = true
		}
	}
}

// several settles probes of several weights, or several characters.
func (v *coverage) several() {
	for _, probe := range slices.Sorted(maps.Keys(v.keys)) {
		weights := v.weights[probe]
		var key strings.Builder
		settled := len(weights) > 0 || utf8.RuneCountInString(probe) == 1
		for _, weight := range weights {
			if _, ok := v.keyOf[weight]; !ok && !v.ambiguous[weight] {
				v.ambiguous[weight] = true
			}
			settled = settled || v.ambiguous[weight]
			key.WriteString(v.keyOf[weight])
		}
		if key.String() == v.keys[probe] || slices.ContainsFunc(weights, func(w string) bool { return v.ambiguous[w] }) {
			continue
		}
		if r, size := utf8.DecodeRuneInString(probe); size == len(probe) {
			if v.foreign[r] {
				continue
			}
			if !v.known(r) {
				v.foreign[r] = true
				continue
			}
		}
		if !settled {
			log.Fatalf("%q is ignored by MySQL only", probe)
		}
		// One ambiguous weight is enough, since a text that folds with the probe has all of them: the least used.
		least := slices.MinFunc(weights, func(x, y string) int { return v.users(x) - v.users(y) })
		log.Printf("%q makes %x ambiguous", probe, least)
		v.ambiguous[least] = true
	}
}

// users counts a weight's characters, the Latin ones above all others.
func (v *coverage) users(weight string) int {
	count := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if slices.Contains(v.weights[string(r)], weight) {
			count++
			if r < 0x250 {
				count += 1000
			}
		}
	}
	return count
}

func writeRanges(out io.Writer, name, comment string, runes []rune) {
	var ranges [][2]rune
	for _, r := range runes {
		if n := len(ranges); n > 0 && ranges[n-1][1] == r-1 {
			ranges[n-1][1] = r
		} else {
			ranges = append(ranges, [2]rune{r, r})
		}
	}
	fmt.Fprintf(out, "\n/// %s\n#[rustfmt::skip]\npub(super) const %s: [(u32, u32); %d] = [", comment, name, len(ranges))
	for i, r := range ranges {
		if i%6 == 0 {
			fmt.Fprint(out, "\n   ")
		}
		fmt.Fprintf(out, " (0x%x, 0x%x),", r[0], r[1])
	}
	fmt.Fprintln(out, "\n];")
}
