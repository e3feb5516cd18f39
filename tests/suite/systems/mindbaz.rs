//! The mock of mindbaz, row by row.
