"""A model on this machine: llama.cpp's server in a process of its own, started and watched by the site."""
