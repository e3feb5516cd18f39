//! The mock of platform, row by row.
