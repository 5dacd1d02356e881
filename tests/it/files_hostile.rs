//! A hostile workspace: catalogue 13 to 15 and 46 to 49.
