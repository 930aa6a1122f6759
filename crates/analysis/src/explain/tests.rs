//! Made profiles of which the cause is known.
