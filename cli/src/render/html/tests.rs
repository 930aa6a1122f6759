//! The page is well-formed, needs nothing from elsewhere, and holds what the documents hold.
