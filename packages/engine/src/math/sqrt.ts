/** The correctly rounded f32 square root of an f32. IEEE-754 defines it to the bit, so every machine agrees. */
export const exactSqrt = (x: number): number => Math.fround(Math.sqrt(x))
