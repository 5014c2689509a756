package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// writeGolden writes lines of a text and its key, both in hex.
func writeGolden(out io.Writer, seed uint64, count int) {
	pick := newPicker(rand.New(rand.NewPCG(seed, 1)))
	write := newLineWriter(out)
	for range count {
		write(pick.text())
	}
}

// writeSingles writes such a line for every character.
func writeSingles(out io.Writer) {
	write := newLineWriter(out)
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if utf8.ValidRune(r) {
			write(string(r))
		}
	}
}

func newLineWriter(out io.Writer) func(string) {
	key := collate.New(language.Und, collate.Loose)
	var buffer collate.Buffer
	return func(text string) {
		buffer.Reset()
		fmt.Fprintf(out, "%x %x\n", text, key.KeyFromString(&buffer, text))
	}
}

// picker makes texts that lean towards what is hard: contractions, marks out of order, decompositions, gaps.
type picker struct {
	random *rand.Rand
	// starters with the suffixes of their contractions
	starters  []rune
	suffixes  map[rune][][]rune
	combining []rune
	// combining characters that the collator sorts and whose place shows in a primary key
	weighted []rune
	special  []rune
	assigned map[rune]bool
}

// scripts are ranges to draw neighbours from.
var scripts = [][2]rune{
	{0x20, 0x7e}, {0x20, 0x7e}, {0xa0, 0x24f}, {0x250, 0x2ff}, {0x370, 0x3ff}, {0x400, 0x52f}, {0x531, 0x58f},
	{0x591, 0x5f4}, {0x600, 0x6ff}, {0x900, 0x97f}, {0x980, 0x9ff}, {0xb00, 0xb7f}, {0xb80, 0xbff}, {0xc00, 0xc7f},
	{0xc80, 0xcff}, {0xd00, 0xd7f}, {0xd80, 0xdff}, {0xe01, 0xe5b}, {0xe80, 0xedf}, {0xf00, 0xfff}, {0x1000, 0x109f},
	{0x10a0, 0x10ff}, {0x1100, 0x11ff}, {0x1200, 0x137f}, {0x1780, 0x17ff}, {0x1b00, 0x1b7f}, {0x1d00, 0x1dff},
	{0x1e00, 0x1fff}, {0x2000, 0x206f}, {0x2070, 0x218f}, {0x2190, 0x23ff}, {0x2460, 0x27bf}, {0x2c00, 0x2dff},
	{0x2e80, 0x303f}, {0x3040, 0x30ff}, {0x3100, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf},
	{0xa640, 0xa7ff}, {0xaa80, 0xaadf}, {0xac00, 0xd7ff - 1}, {0xf900, 0xfaff}, {0xfb00, 0xfdff}, {0xfe00, 0xfeff},
	{0xff00, 0xffef}, {0x10300, 0x103ff}, {0x10400, 0x1044f}, {0x11080, 0x1113f}, {0x1d400, 0x1d7ff},
	{0x1f100, 0x1f2ff}, {0x1f300, 0x1f6ff}, {0x20000, 0x2a6df}, {0x2f800, 0x2fa1f}, {0xe0000, 0xe01ef},
	{0, 0x10ffff},
}

func newPicker(random *rand.Rand) *picker {
	c := newCollator()
	p := &picker{random: random, suffixes: map[rune][][]rune{}, assigned: map[rune]bool{}}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		raw := c.lookup(r)
		if raw != 0 {
			p.assigned[r] = true
			if e := c.elements(string(r))[0]; e.ccc != 0 && e.primary != 0 {
				p.weighted = append(p.weighted, r)
			}
		}
		switch {
		case raw >= minContract && raw < minExpand:
			_, list := c.contractions(raw)
			p.starters = append(p.starters, r)
			for _, contraction := range list {
				p.suffixes[r] = append(p.suffixes[r], contraction.suffix)
			}
		case raw >= minExpand:
			p.special = append(p.special, r)
		}
	}
	words := combining()
	for i := 0; i < len(words); i += 3 {
		for r := words[i]; r <= words[i+1]; r++ {
			p.combining = append(p.combining, rune(r))
		}
	}
	return p
}

func one[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

func (p *picker) text() string {
	var text []rune
	script := one(p.random, scripts)
	for range 1 + p.random.IntN(6) {
		switch p.random.IntN(9) {
		case 0:
			for range 1 + p.random.IntN(4) {
				text = append(text, p.mark())
			}
		case 1, 2:
			text = append(text, p.contraction()...)
		case 3:
			text = append(text, one(p.random, p.special))
		case 4:
			if p.random.IntN(15) == 0 {
				text = append(text, p.manyMarks()...)
			}
			script = one(p.random, scripts)
		default:
			text = append(text, script[0]+p.random.Int32N(script[1]-script[0]+1))
		}
	}
	var valid []rune
	for _, r := range text {
		if utf8.ValidRune(r) {
			valid = append(valid, r)
		}
	}
	return string(valid)
}

// contraction is one of the table's, often with other marks between its runes.
func (p *picker) contraction() []rune {
	starter := one(p.random, p.starters)
	text := []rune{starter}
	for _, r := range one(p.random, p.suffixes[starter]) {
		for p.random.IntN(3) == 0 {
			text = append(text, one(p.random, p.combining))
		}
		text = append(text, r)
	}
	for p.random.IntN(3) == 0 {
		text = append(text, one(p.random, p.combining))
	}
	return text
}

// manyMarks is longer than the collator's and the normaliser's limit of 30 marks.
func (p *picker) manyMarks() []rune {
	text := []rune{one(p.random, p.starters)}
	for range 25 + p.random.IntN(15) {
		text = append(text, p.mark())
	}
	return text
}

func (p *picker) mark() rune {
	if p.random.IntN(2) == 0 {
		return one(p.random, p.weighted)
	}
	// Unassigned in the collation's Unicode and no mark to it, most of these end a run: few of them.
	for {
		r := one(p.random, p.combining)
		if p.assigned[r] || p.random.IntN(20) == 0 {
			return r
		}
	}
}
