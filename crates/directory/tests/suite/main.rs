//! The directory against real databases.
