// Carries the precompiled header of product code.
