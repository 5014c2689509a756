package main

import (
	"reflect"
	"unsafe"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// element is the part of a collation element that primary keys depend on.
type element struct {
	primary uint32
	ccc     uint8
}

// collator looks into the unexported table of a root collator.
type collator struct {
	table     reflect.Value
	index0    []uint16
	values0   []uint32
	index     []uint16
	values    []uint32
	expand    []uint32
	contract  []uint32
	states    []trieState
	appendOne reflect.Value
	elemType  reflect.Type
}

// trieState is a state of the byte-wise trie of contraction suffixes: on the byte low (or any from low to high when
// next is zero), go on with the next states at offset high after this node's, or end. value is the match's index.
type trieState struct{ low, high, next, value uint8 }

const noValue = 0xff

func newCollator() *collator {
	root := collate.New(language.Und, collate.Loose)
	field := reflect.ValueOf(root).Elem().FieldByName("options").FieldByName("t")
	field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	pointer := field.Elem()
	table := pointer.Elem()
	index := table.FieldByName("Index")
	c := &collator{
		table:     table,
		index0:    index.FieldByName("Index0").Interface().([]uint16),
		values0:   index.FieldByName("Values0").Interface().([]uint32),
		index:     index.FieldByName("Index").Interface().([]uint16),
		values:    index.FieldByName("Values").Interface().([]uint32),
		expand:    table.FieldByName("ExpandElem").Interface().([]uint32),
		contract:  table.FieldByName("ContractElem").Interface().([]uint32),
		appendOne: pointer.MethodByName("AppendNextString"),
	}
	c.elemType = c.appendOne.Type().Out(0).Elem()
	tries := table.FieldByName("ContractTries")
	for i := range tries.Len() {
		s := tries.Index(i)
		c.states = append(c.states, trieState{
			uint8(s.Field(0).Uint()), uint8(s.Field(1).Uint()), uint8(s.Field(2).Uint()), uint8(s.Field(3).Uint()),
		})
	}
	return c
}

// lookup returns the raw table entry of a rune, zero when the table has none.
func (c *collator) lookup(r rune) uint32 {
	s := string(r)
	if len(s) == 1 {
		return c.values0[s[0]]
	}
	n := c.index0[s[0]]
	for _, b := range []byte(s[1 : len(s)-1]) {
		n = c.index[int(n)<<6+int(b)]
	}
	return c.values[int(n)<<6+int(s[len(s)-1])]
}

// decode asks the element's own methods for its parts.
func (c *collator) decode(raw reflect.Value) element {
	primary := raw.MethodByName("Primary").Call(nil)[0].Int()
	ccc := raw.MethodByName("CCC").Call(nil)[0].Uint()
	return element{uint32(primary), uint8(ccc)}
}

func (c *collator) decodeRaw(raw uint32) element {
	return c.decode(reflect.ValueOf(raw).Convert(c.elemType))
}

// elements returns what a text adds to a key when it stands alone.
func (c *collator) elements(s string) []element {
	out := c.appendOne.Call([]reflect.Value{reflect.Zero(reflect.SliceOf(c.elemType)), reflect.ValueOf(s)})
	var elements []element
	for i := range out[0].Len() {
		elements = append(elements, c.decode(out[0].Index(i)))
	}
	return elements
}

// Raw entries from these values on stand for contractions, expansions and decompositions.
const (
	minContract = 0xC0000000
	minExpand   = 0xE0000000
	minDecomp   = 0xF0000000
)

// contraction is a suffix that, after its first rune, gives the elements.
type contraction struct {
	suffix   []rune
	elements []element
}

// contractions returns the elements of a starter without any suffix, and its contractions.
func (c *collator) contractions(raw uint32) (bare []element, list []contraction) {
	size, start, offset := int(raw&0xf), int(raw>>4&0xfff), int(raw>>16&0x1fff)
	bare = c.matched(offset)
	c.walk(start, size, nil, func(suffix []byte, value int) {
		list = append(list, contraction{[]rune(string(suffix)), c.matched(offset + value)})
	})
	return bare, list
}

func (c *collator) matched(i int) []element {
	raw := c.contract[i]
	if raw < minContract {
		return []element{c.decodeRaw(raw)}
	}
	at := int(raw & 0xffff)
	var elements []element
	for _, raw := range c.expand[at+1 : at+1+int(c.expand[at])] {
		elements = append(elements, c.decodeRaw(raw))
	}
	return elements
}

func (c *collator) walk(base, size int, prefix []byte, found func([]byte, int)) {
	for _, s := range c.states[base : base+size] {
		if s.next == 0 {
			for b := int(s.low); b <= max(int(s.low), int(s.high)); b++ {
				found(append(append([]byte{}, prefix...), byte(b)), int(s.value)+b-int(s.low))
			}
			continue
		}
		prefix := append(append([]byte{}, prefix...), s.low)
		if s.value != noValue {
			found(prefix, int(s.value))
		}
		c.walk(base+int(s.high)+size, int(s.next), prefix, found)
	}
}
