//! Everything through the public door.

mod playbook;
