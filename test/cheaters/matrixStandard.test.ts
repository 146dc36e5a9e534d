/** The cheater matrix where people leave: standard. */
import { matrixSuite } from './matrix.ts'

matrixSuite('standard')
