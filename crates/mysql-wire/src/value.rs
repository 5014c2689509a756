//! Text and binary forms of values.
