/**
 * Coefficients of the exact functions (E-06, E-07, E-08): Chebyshev interpolation of each function on its reduced
 * range, turned into powers of the argument and rounded to f32. `coefficients.test.ts` derives them again.
 */

/** (e^r − 1 − r) / r² for |r| ≤ ln2 / 2; relative error of the whole exp below 1.0e-7. */
export const expCoefficients = [
  0.5, 0.16666576266288757, 0.04166655242443085, 0.00836323294788599, 0.0013926250394433737,
]

/** (atanh(s)/s − 1) / s² as a function of s² for 0 ≤ s² ≤ 0.02947. */
export const logCoefficients = [0.3333333432674408, 0.2000006139278412, 0.14275386929512024, 0.11665860563516617]

/** (tanh(x)/x − 1) / x² as a function of x² for |x| ≤ 0.625. */
export const tanhCoefficients = [
  -0.3333333432674408, 0.13333304226398468, -0.053959257900714874, 0.02176891826093197, -0.008343945257365704,
  0.0022927450481802225,
]

/** log2(e), rounded to f32. */
export const log2e = 1.4426950216293335
/** ln 2 in two parts: the high part has 15 significant bits, so its product with an integer below 2^9 is exact. */
export const ln2High = 0.693145751953125
export const ln2Low = 1.428606765330187e-6
/** 1.5 · 2^23: adding and subtracting it rounds an f32 below 2^22 to an integer, ties to even. */
export const roundingBias = 12582912
/** Above it exp is +infinity; below `expUnderflow` it is +0 (E-06). */
export const expOverflow = 88.72283172607422
export const expUnderflow = -87.33654022216797
export const tanhSplit = 0.625
