// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Demands} from "./Demands.sol";
import {Module} from "./Module.sol";

/// @title The module for mass exits up to their turn in the queue
contract MassExitModule is Demands {
    constructor(Parameters memory p) Module(p) {}
}
