//! The mock of mikopbx, row by row.
