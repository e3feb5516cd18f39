//! What reads a run: reports for people and for machines.

pub mod report;
