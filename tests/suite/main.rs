//! The suite: one binary, a module for each thing that must hold. Unit tests stand beneath the
//! code; what crosses modules, or is told to people, is proved here.

mod check; // the corpus: each workflow in `tests/cases` and what must be said of it
mod examples; // the shipped workflows pass under their mocks, which behave as the real servers do
mod parse; // what no reader may do: panic, hang, or take a bomb for a workflow
mod tidy; // the house rules: layers, sizes, words, and what may not stand in the source
