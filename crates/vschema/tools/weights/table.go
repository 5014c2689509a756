package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The file is a sequence of little-endian 32-bit words: a header with the number of words in each part, then
//
//	index         one 16-bit number per 64 code points: their block; two in a word, the lower first
//	blocks        64 values each
//	expansions    a count, then that many elements
//	starters      code point, expansion without suffix, first contraction, end of its contractions
//	contractions  two code points (the second 0 when there is none) and an expansion; sorted within a starter
//	combining     first code point, last, then leading ccc, trailing ccc and number of marks in one word
//
// A value is 0 (no entry), 1<<30 + element, 2<<30 + expansion's place, or 3<<30 + starter's number. An element is
// its primary weight with its combining class above the low 21 bits.
const (
	blockSize  = 64
	kindElem   = 1 << 30
	kindExpand = 2 << 30
	kindStart  = 3 << 30
)

type tableBuilder struct {
	collator     *collator
	expansions   []uint32
	places       map[string]uint32
	starters     []uint32
	contractions []uint32
}

func (e element) word() uint32 { return uint32(e.ccc)<<21 | e.primary }

func (b *tableBuilder) expansion(elements []element) uint32 {
	key := fmt.Sprint(elements)
	if place, ok := b.places[key]; ok {
		return place
	}
	place := uint32(len(b.expansions))
	b.places[key] = place
	b.expansions = append(b.expansions, uint32(len(elements)))
	for _, e := range elements {
		b.expansions = append(b.expansions, e.word())
	}
	return place
}

func (b *tableBuilder) value(r rune) uint32 {
	raw := b.collator.lookup(r)
	switch {
	case raw == 0:
		return 0
	case raw >= minContract && raw < minExpand:
		return kindStart | b.starter(r, raw)
	}
	elements := b.collator.elements(string(r))
	if len(elements) == 1 {
		return kindElem | elements[0].word()
	}
	return kindExpand | b.expansion(elements)
}

func (b *tableBuilder) starter(r rune, raw uint32) uint32 {
	number := uint32(len(b.starters) / 4)
	bare, list := b.collator.contractions(raw)
	slices.SortFunc(list, func(x, y contraction) int { return slices.Compare(x.suffix, y.suffix) })
	first := uint32(len(b.contractions) / 3)
	for _, c := range list {
		if len(c.suffix) > 2 {
			log.Fatalf("%q has a contraction of more than three runes: %q", r, c.suffix)
		}
		suffix := append(c.suffix, 0)
		b.contractions = append(b.contractions, uint32(suffix[0]), uint32(suffix[1]), b.expansion(c.elements))
	}
	b.starters = append(b.starters, uint32(r), b.expansion(bare), first, uint32(len(b.contractions)/3))
	return number
}

func buildTable() []byte {
	b := &tableBuilder{collator: newCollator(), places: map[string]uint32{}}
	var index, blocks []uint32
	known := map[string]uint32{}
	for base := rune(0); base <= utf8.MaxRune; base += blockSize {
		block := make([]uint32, blockSize)
		for i := range block {
			if r := base + rune(i); utf8.ValidRune(r) {
				block[i] = b.value(r)
			}
		}
		key := fmt.Sprint(block)
		number, ok := known[key]
		if !ok {
			number = uint32(len(blocks) / blockSize)
			known[key] = number
			blocks = append(blocks, block...)
		}
		index = append(index, number)
	}
	// The code points after the last one with an entry share the empty block.
	for len(index) > 0 && index[len(index)-1] == known[fmt.Sprint(make([]uint32, blockSize))] {
		index = index[:len(index)-1]
	}
	b.checkHangul()
	var pairs []uint32
	for pair := range slices.Chunk(append(index, 0), 2) {
		if len(pair) == 2 {
			pairs = append(pairs, pair[0]|pair[1]<<16)
		}
	}
	var file []byte
	parts := [][]uint32{pairs, blocks, b.expansions, b.starters, b.contractions, combining()}
	for _, part := range parts {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(part)))
	}
	for _, part := range parts {
		for _, word := range part {
			file = binary.LittleEndian.AppendUint32(file, word)
		}
	}
	log.Printf("%d blocks, %d starters, %d contractions, %d bytes",
		len(blocks)/blockSize, len(b.starters)/4, len(b.contractions)/3, len(file))
	return file
}

// checkHangul makes sure that a Hangul syllable, which has no entry, is the elements of its Jamo.
func (b *tableBuilder) checkHangul() {
	for r := rune(0xAC00); r <= 0xD7A3; r++ {
		var jamo []element
		for _, j := range norm.NFD.String(string(r)) {
			jamo = append(jamo, b.collator.elements(string(j))...)
		}
		if b.collator.lookup(r) != 0 || !slices.Equal(jamo, b.collator.elements(string(r))) {
			log.Fatalf("%q is not the sum of its Jamo", r)
		}
	}
}

// combining lists the runes whose decomposition begins with a non-zero combining class.
func combining() []uint32 {
	var words []uint32
	for r := rune(0); r <= utf8.MaxRune; r++ {
		p := norm.NFD.PropertiesString(string(r))
		if !utf8.ValidRune(r) || p.LeadCCC() == 0 {
			continue
		}
		marks := uint32(1)
		if d := p.Decomposition(); d != nil {
			marks = uint32(utf8.RuneCount(d))
		}
		class := uint32(p.LeadCCC()) | uint32(p.TrailCCC())<<8 | marks<<16
		if n := len(words); n > 0 && words[n-2] == uint32(r)-1 && words[n-1] == class {
			words[n-2] = uint32(r)
		} else {
			words = append(words, uint32(r), uint32(r), class)
		}
	}
	return words
}
