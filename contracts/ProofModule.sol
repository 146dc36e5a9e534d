// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FraudProofs} from "./FraudProofs.sol";
import {Halting} from "./Halting.sol";
import {Module} from "./Module.sol";

/// @title The module for what ends a chain: proofs that a block is invalid, silence, an orderly close
contract ProofModule is FraudProofs {
    constructor(Parameters memory p) Module(p) Halting(p) {}

    fallback() external {
        revert UnknownCall(msg.sig);
    }
}
