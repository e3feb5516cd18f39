//! The mock of datarhei, row by row.
