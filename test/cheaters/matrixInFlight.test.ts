/** The cheater matrix where people leave: in-flight. */
import { matrixSuite } from './matrix.ts'

matrixSuite('in-flight')
