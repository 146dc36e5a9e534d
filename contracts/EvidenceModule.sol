// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EvidenceFall} from "./EvidenceFall.sol";
import {FraudProofs} from "./FraudProofs.sol";
import {Halting} from "./Halting.sol";
import {Inheritance} from "./Inheritance.sol";
import {Keys} from "./Keys.sol";
import {Module} from "./Module.sol";
import {Views} from "./Views.sol";

/// @title The module for what follows the start of a standard exit: fallen evidence, settlement, credits; for what ends a chain; and for
/// keys and views, which no hot path needs
contract EvidenceModule is EvidenceFall, Inheritance, FraudProofs, Keys, Views {
    constructor(Parameters memory p) Module(p) Halting(p) Views(p) {}

    fallback() external {
        revert UnknownCall(msg.sig);
    }
}
