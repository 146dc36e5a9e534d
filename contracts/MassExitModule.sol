// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demands} from "./Demands.sol";
import {Module} from "./Module.sol";
import {StrikeFall} from "./StrikeFall.sol";

/// @title The module for mass exits up to their turn in the queue, and for strikes that fall
contract MassExitModule is Demands, StrikeFall {
    constructor(Parameters memory p) Module(p) {}
}
