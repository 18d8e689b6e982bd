# SPDX-License-Identifier: Apache-2.0
# bash completion for berth
