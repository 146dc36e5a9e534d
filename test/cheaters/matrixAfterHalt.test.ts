/** The cheater matrix where people leave: after-halt. */
import { matrixSuite } from './matrix.ts'

matrixSuite('after-halt')
