//! A real server on port 0 and a real Flight SQL client.
