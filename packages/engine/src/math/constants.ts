/**
 * Coefficients of the exact functions (E-06 to E-08, E-21, E-22): Chebyshev interpolation of each function on its
 * reduced range, turned into powers of the argument and rounded to f32. `functions.test.ts` derives them again.
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

/** (sin(r)/r − 1) / r² and (cos(r) − 1 + r²/2) / r⁴ as functions of r² for |r| ≤ π/4. */
export const sinCoefficients = [-0.166666641831398, 0.008332746103405952, -0.00019587387214414775]
export const cosCoefficients = [0.0416666641831398, -0.0013888300163671374, 0.000024547436623834074]
/** 2/π, rounded to f32. */
export const twoOverPi = 0.6366197466850281
/** π/2 in four parts, the first three of 11 significant bits. */
export const halfPi1 = 1.5703125
export const halfPi2 = 0.0004837512969970703
export const halfPi3 = 7.549533620476723e-8
export const halfPi4 = 2.5633440682570896e-12
/** A little above π/4: holds the rest of arguments that are too large to be reduced. */
export const turnLimit = 0.800000011920929

/** erf(x)/x − 1 as a function of x² for |x| ≤ 1. */
export const erfCoefficients = [
  0.12837916612625122, -0.3761262595653534, 0.11283594369888306, -0.02685421146452427, 0.005189087241888046,
  -0.000801686430349946, 0.00007875874871388078,
]

/** −log(1 − erf(1 + t)) fitted for 0 ≤ t ≤ 1.8, where it counts; used up to t = 3. */
export const erfcCoefficients = [
  1.849605679512024, 2.638958692550659, 0.8431864380836487, 0.04129922762513161, -0.009627592749893665,
  0.0016713867662474513, -0.0001523352402728051,
]
