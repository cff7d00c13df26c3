//! Public HTTP: from an accepted connection to an answer.
